import "@fontsource-variable/inter/wght.css";
import "./style.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { appearance } from "./views/appearance.svelte.ts";

appearance.apply();
mount(App, { target: document.getElementById("app")! });
