import { createRequire } from "node:module";
import { FIGURES, importOptional } from "../package/index.ts";
import { openCanvas } from "./sheet.ts";
import { style } from "./style.ts";

const FONT_FILES = ["400Regular/Arimo_400Regular.ttf", "700Bold/Arimo_700Bold.ttf"];

/** Loads the libraries that draw PNG pictures, on first use. Throws `DEPENDENCY` if one is not installed. */
async function loadRenderer() {
  return importOptional(FIGURES, async () => {
    const { Resvg } = await import("@resvg/resvg-js");
    const { resolve } = createRequire(import.meta.url);
    return { Resvg, fontFiles: FONT_FILES.map((file) => resolve(`@expo-google-fonts/arimo/${file}`)) };
  });
}

/** Throws `DEPENDENCY`, with the command that installs them, if packages that figures in SVG need are not installed. */
export async function checkDrawingPackages(): Promise<void> {
  await openCanvas();
}

/** Throws `DEPENDENCY`, with the command that installs them, if packages that figures in SVG and PNG need are not installed. */
export async function checkFigurePackages(): Promise<void> {
  await Promise.all([openCanvas(), loadRenderer()]);
}

/**
 * Renders an SVG document as PNG. Text is drawn with the typeface of the package @expo-google-fonts/arimo only, so the bytes do
 * not depend on the fonts of the machine.
 *
 * `size` is the width of the picture in pixels, or a scale of the size that the SVG states. Default a scale of 2, for displays of
 * high resolution.
 */
export async function svgToPng(
  svg: string,
  size: { width: number } | { scale: number } = { scale: 2 },
): Promise<Uint8Array> {
  const { Resvg, fontFiles } = await loadRenderer();
  const image = new Resvg(svg, {
    fitTo: "width" in size ? { mode: "width", value: size.width } : { mode: "zoom", value: size.scale },
    font: {
      loadSystemFonts: false,
      fontFiles,
      defaultFontFamily: style.fontFamily.split(",")[0]!,
    },
  });
  return image.render().asPng();
}
