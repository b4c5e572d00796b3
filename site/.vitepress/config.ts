import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type DefaultTheme, defineConfig } from "vitepress";
import { entryPoints } from "../api.ts";
import { guide } from "../guide.ts";
import { writeForLanguageModels } from "../llms.ts";
import { adaptMarkdown, anchorOf, pageOf } from "../markdown.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

const guideSidebar: DefaultTheme.SidebarItem[] = guide().map(({ title, pages }) => ({
  text: title,
  items: pages.map((page) => ({ text: page.title, link: `/docs/${page.path}` })),
}));

const referenceSidebar: DefaultTheme.SidebarItem[] = [
  {
    text: "Entry points",
    items: entryPoints().map(({ name }) => ({
      text: name === "pushforward" ? name : `pushforward/${name}`,
      link: `/api/${name}/`,
    })),
  },
];

export default defineConfig({
  title: "pushforward",
  description:
    "Normalizing flows for TypeScript: exact densities and fast samples, in Node and in the browser.",
  lang: "en",
  srcDir: root,
  srcExclude: ["README.md", "bench/defaults.template.md", "{src,test,studio,scripts,dist,demo,coverage}/**"],
  outDir: join(root, "site/dist"),
  cacheDir: join(root, "node_modules/.cache/vitepress"),
  // A page loads only what it shows.
  router: { prefetchLinks: false },
  // The address of a page is the path of its file in the repository. Pages of the site only are in the folder site.
  rewrites: (path) => pageOf(path.replace(/^site\//, "")),
  // `buildSite` adds the studio and the model file to the pages of VitePress.
  ignoreDeadLinks: [/^\/studio\//, /\.safetensors$/],
  markdown: {
    config: adaptMarkdown,
    anchor: { slugify: anchorOf },
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
  },
  vite: { publicDir: join(root, "studio/public") },
  transformHead: ({ siteData }) => [
    ["link", { rel: "icon", href: `${siteData.base}icon.svg`, type: "image/svg+xml" }],
  ],
  buildEnd: ({ outDir }) => writeForLanguageModels(outDir),
  themeConfig: {
    logo: "/icon.svg",
    search: { provider: "local" },
    outline: { level: [2, 3] },
    nav: [
      { text: "Documentation", link: "/docs/", activeMatch: "^/docs/(?!gallery|which-flow)" },
      { text: "Which flow?", link: "/docs/which-flow" },
      { text: "Gallery", link: "/docs/gallery" },
      { text: "API", link: "/api/", activeMatch: "^/api/" },
      { text: "Studio", link: "/studio/", target: "_self" },
    ],
    sidebar: { "/api/": referenceSidebar, "/": guideSidebar },
  },
});
