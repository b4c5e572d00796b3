import { chooseComponent, type Subset } from "../../distributions/index.ts";
import { concat, loop, type Shape, scalar, type Tensor } from "../../graph/index.ts";
import { inversePermutation } from "../../nn/index.ts";
import { normalComponents } from "./heads/normalComponents.ts";
import type { MixedGaussianGroup, MixedGaussianMixture } from "./mixedGaussianMixture.ts";

/**
 * Rows [N, D] with the known values of x, and with draws of the other columns in the order of their positions. The log-weights of the
 * components are [C, N] or [C, 1].
 *
 * Each iteration of a loop draws all numeric columns given their present values, and keeps the draw of the column at one position. So the
 * size of the graph does not depend on the number of columns.
 */
export function drawRows(
  model: MixedGaussianMixture,
  [uniform, ...noise]: readonly Tensor[],
  logWeights: Tensor,
  x: Tensor,
  { known, positions }: Subset,
  options: { present: boolean },
): Tensor {
  const { components: C, features, groups, numericColumns } = model;
  const M = numericColumns.length;
  const chosen = chooseComponent(logWeights, uniform.transpose(), -2);
  const selectChosen = (numbers: Tensor, shape: Shape) => numbers.matmul(chosen).reshape(shape);
  const noiseColumns = noise.map((numbers) => numbers.transpose());
  const ofGroup = (columns: readonly number[]) => noiseColumns.map((numbers) => numbers.gather(0, columns));
  const logitsOf = ({ logits }: MixedGaussianGroup) => {
    const [S, A] = logits.sizes;
    return selectChosen(logits.reshape([S * A, C]), [S, A, "N"]);
  };
  const parts = groups
    .filter(({ head }) => !head.components)
    .map((group) => ({
      columns: group.columns,
      values: group.head.sample(ofGroup(group.columns), { logits: logitsOf(group) }, options),
    }));
  if (M > 0) {
    const { coefficients, deviations } = model.regressions(positions);
    const means = selectChosen(model.means.transpose(), [M, "N"]);
    const spread = selectChosen(deviations.transpose(), [M, "N"]);
    const numeric = groups
      .filter(({ head }) => head.components)
      .map((group) => ({ group, logits: logitsOf(group), random: ofGroup(group.columns) }));
    const ofNumeric = positions.gather(0, numericColumns);
    const isUnknown = known.gather(0, numericColumns).equal(0);
    const last = ofNumeric.max(0);
    const [values] = loop(
      [x.transpose().gather(0, numericColumns).transpose(), scalar(0)],
      ([rows, position]) => {
        const columns = rows.transpose();
        const pivot = ofNumeric.equal(position);
        const ofPivot = coefficients.mul(pivot.toFloat().reshape([1, M, 1])).sum(1);
        const { scores, isSmooth } = model.numericScores(columns);
        const ofRow = model.widths ? ofPivot.transpose() : selectChosen(ofPivot.transpose(), [M, "N"]);
        const prediction = ofRow.mul(scores.sub(means).mul(isSmooth)).sum(0, { keepAxes: true });
        const locations = means.add(prediction);
        const drawn = numeric.map(({ group, logits, random }) => {
          const ofComponents = normalComponents(
            group.head.type,
            locations.gather(0, group.numeric),
            spread.gather(0, group.numeric),
          );
          return group.head.sample(random, { logits, ofComponents }, options);
        });
        const isDrawn = pivot.and(isUnknown).reshape([M, 1]);
        const next = position.add(1);
        return {
          state: [
            model.sharedGaps.applyTo(isDrawn.where(concat(drawn, 0), columns).transpose(), numericColumns),
            next,
          ],
          proceed: next.lessEqual(last),
        };
      },
      { maxIterations: features + 1 },
    );
    parts.push({ columns: numericColumns, values: values.transpose() });
  }
  const order = parts.flatMap(({ columns }) => columns);
  const drawn = concat(
    parts.map(({ values }) => values),
    0,
  );
  return drawn.gather(0, inversePermutation(order)).transpose();
}
