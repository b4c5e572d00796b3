import { store, stored } from "../storage.ts";
import { readTheme, type Theme } from "./theme.ts";

const CHOICES = ["system", "light", "dark"] as const;
export type Choice = (typeof CHOICES)[number];

/** The color scheme, light or dark, and whether the reader prefers reduced motion. */
class Appearance {
  choice = $state<Choice>(CHOICES.find((choice) => choice === stored("appearance")) ?? "system");
  reducedMotion = $state(false);
  private systemIsDark = $state(false);
  private cached: { readonly dark: boolean; readonly theme: Theme } | undefined;

  constructor() {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const motion = matchMedia("(prefers-reduced-motion: reduce)");
    const read = () => {
      this.systemIsDark = dark.matches;
      this.reducedMotion = motion.matches;
    };
    read();
    dark.addEventListener("change", read);
    motion.addEventListener("change", read);
  }

  get dark(): boolean {
    return this.choice === "dark" || (this.choice === "system" && this.systemIsDark);
  }

  choose(choice: Choice): void {
    this.choice = choice;
    store("appearance", choice);
    this.apply();
  }

  apply(): void {
    document.documentElement.dataset.theme = this.dark ? "dark" : "light";
  }

  /** The colors of the figures. An effect that calls this runs again when they change. */
  theme(element: Element): Theme {
    const { dark } = this;
    if (this.cached?.dark !== dark) {
      // The styles depend on an attribute, which may not be set yet.
      this.apply();
      this.cached = { dark, theme: readTheme(element, dark) };
    }
    return this.cached.theme;
  }
}

export const appearance = new Appearance();
