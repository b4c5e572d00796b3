import { choice, flag, imageShape, integerFrom } from "./options.ts";

/** The shape of images, for commands that read them from tables or from arrays [images, pixels]. */
export const image = imageShape({
  valueName: "HxWxC",
  example: "28x28x1",
  description:
    "Reads images of this height, width and number of channels: required for a table whose columns are pixels.",
});

/** The number of draws of noise, for commands that compute the probability of images. */
export const draws = integerFrom(
  1,
  {
    valueName: "K",
    default: "1",
    description:
      "For models of images: the number of draws of noise, or of the posterior of vae, for each image. The log-probability is a lower bound, which is tighter with more draws.",
  },
  256,
);

/** An option of commands that compute the probability of images. */
export const classify = flag(
  "For models of images with classes: predicts the class of each image by Bayes' rule, from its log-probability under each class.",
);

/** The options of `pushforward fit` for images. */
export const imageOptions = {
  image,
  values: integerFrom(
    2,
    { valueName: "N", example: "16", description: "Pixels have the values 0 to N - 1. Default: 256." },
    256,
  ),
  classes: flag(
    "Learns images conditional on their class. The class is the name of the sub-directory, an entry of a file of labels among DATA, or the value of the column label.",
  ),
  flips: flag("Also trains on the images reflected from left to right."),
  levels: integerFrom(
    1,
    { valueName: "N", description: "The number of levels of glow and realnvp for images. Default: 2." },
    16,
  ),
  block: choice(["plain", "residual", "gated"], {
    valueName: "BLOCK",
    description:
      "The blocks of the convolutional networks of glow and realnvp. Default: plain for glow, residual for realnvp.",
  }),
  coupling: choice(["affine", "additive", "spline"], {
    valueName: "COUPLING",
    description:
      "How the couplings of glow and realnvp change a number: affine scales and shifts it, additive shifts it, spline maps it by a rational-quadratic spline. Default: affine.",
  }),
  dequantization: choice(["uniform", "variational"], {
    valueName: "NOISE",
    description:
      "The noise that glow, realnvp, nice and tarflow add to whole pixels in training: uniform, or variational, from a flow that is learned with the model. Default: uniform.",
  }),
  patch: integerFrom(1, {
    valueName: "N",
    description: "The height and the width of the patches of tarflow. Default: 4.",
  }),
  latent: integerFrom(1, {
    valueName: "N",
    description: "The number of latent features of vae. Default: 16.",
  }),
};
