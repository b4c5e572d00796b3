/** Early stopping: tracks the best validation loss, and decides when training ends or has reached a plateau. */
export class EarlyStopping {
  readonly state = {
    /** The epoch with the smallest loss; 0 is the initial model. */
    bestEpoch: 0,
    /** The smallest loss. */
    best: Number.POSITIVE_INFINITY,
    /** Epochs since the smallest loss or the last plateau, whichever was later. */
    sincePlateau: 0,
  };
  private readonly patience: number;
  private readonly plateau: number;
  private readonly warmUpEpochs: number;

  /**
   * Training ends after `patience` epochs without a smaller loss; `plateau` such epochs are a plateau. Both counts begin after the first
   * `warmUpEpochs` epochs, in which KL warm-up changes the training loss. The smallest loss may be that of one of these epochs.
   */
  constructor({
    patience,
    plateau,
    warmUpEpochs = 0,
  }: { patience: number; plateau: number; warmUpEpochs?: number }) {
    this.patience = patience;
    this.plateau = plateau;
    this.warmUpEpochs = warmUpEpochs;
  }

  /** Records the loss of an epoch. Returns whether it is the smallest so far, or completes a plateau. */
  update(epoch: number, loss: number): "best" | "plateau" | undefined {
    const { state } = this;
    if (loss < state.best) {
      Object.assign(state, { best: loss, bestEpoch: epoch, sincePlateau: 0 });
      return "best";
    }
    if (epoch <= this.warmUpEpochs || ++state.sincePlateau < this.plateau) return undefined;
    state.sincePlateau = 0;
    return "plateau";
  }

  /** The epoch after which training ends, because the patience is used up, if no later loss is smaller. */
  get lastEpoch(): number {
    return Math.max(this.state.bestEpoch, this.warmUpEpochs) + this.patience;
  }
}
