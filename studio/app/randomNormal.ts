/** A random number with the standard normal distribution (Box and Muller 1958). It depends on no seed. */
export const randomNormal = (): number =>
  Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
