import "@fontsource-variable/inter/wght.css";
import "./style.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { appearance } from "./views/appearance.svelte.ts";

appearance.apply();
mount(App, { target: document.getElementById("app")! });

// The files are kept after the first view, so that they do not delay it. Only secure pages and those of this machine may have workers.
if (import.meta.env.PROD && "serviceWorker" in navigator)
  addEventListener("load", () => setTimeout(() => navigator.serviceWorker.register("./offline.js"), 2000));
