import "@fontsource-variable/inter/wght.css";
import "./colors.css";
import "./style.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { appearance } from "./views/appearance.svelte.ts";

appearance.apply();
mount(App, { target: document.getElementById("app")! });

// The service worker loads all files after the first view, so that it does not delay the view. Browsers allow it on HTTPS and on localhost.
if (import.meta.env.PROD && "serviceWorker" in navigator)
  addEventListener("load", () => setTimeout(() => navigator.serviceWorker.register("./offline.js"), 2000));
