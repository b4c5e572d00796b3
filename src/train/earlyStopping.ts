/** Follows the validation loss: which epoch was best, and when to end. */
export class EarlyStopping {
  readonly state = {
    /** The epoch with the smallest loss; 0 is the start. */
    bestEpoch: 0,
    /** The smallest loss. */
    best: Number.POSITIVE_INFINITY,
    /** Epochs since the loss became smaller, or since the last plateau was found. */
    sincePlateau: 0,
  };
  private readonly patience: number;
  private readonly plateau: number;

  /** Training ends after `patience` epochs without a smaller loss; `plateau` such epochs are a plateau. */
  constructor({ patience, plateau }: { patience: number; plateau: number }) {
    this.patience = patience;
    this.plateau = plateau;
  }

  /** Takes the loss of an epoch, and tells whether it is the smallest so far or a plateau is reached. */
  update(epoch: number, loss: number): "best" | "plateau" | undefined {
    const { state } = this;
    if (loss < state.best) {
      Object.assign(state, { best: loss, bestEpoch: epoch, sincePlateau: 0 });
      return "best";
    }
    if (++state.sincePlateau < this.plateau) return undefined;
    state.sincePlateau = 0;
    return "plateau";
  }

  /** Whether training is to end after this epoch. */
  ended(epoch: number): boolean {
    return epoch - this.state.bestEpoch >= this.patience;
  }
}
