import { style } from "./style.ts";

/**
 * Draws an SVG as PNG, with the bundled typeface alone: the same bytes on a machine with fonts and on one without.
 *
 * Give the `width` of the picture in pixels, or a `scale` on the SVG's own size (2 for dense screens, the default).
 */
export async function svgToPng(
  svg: string,
  size: { width: number } | { scale: number } = { scale: 2 },
): Promise<Uint8Array> {
  const [{ Resvg }, { createRequire }] = await Promise.all([
    import("@resvg/resvg-js"),
    import("node:module"),
  ]);
  const { resolve } = createRequire(import.meta.url);
  const arimo = (file: string) => resolve(`@expo-google-fonts/arimo/${file}.ttf`);
  const image = new Resvg(svg, {
    fitTo: "width" in size ? { mode: "width", value: size.width } : { mode: "zoom", value: size.scale },
    font: {
      loadSystemFonts: false,
      fontFiles: [arimo("400Regular/Arimo_400Regular"), arimo("700Bold/Arimo_700Bold")],
      defaultFontFamily: style.fontFamily.split(",")[0]!,
    },
  });
  return image.render().asPng();
}
