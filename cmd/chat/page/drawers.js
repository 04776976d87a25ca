// The two panels: beside the conversation where there is room, drawers over it where there is not.
import { find } from "./dom.js";

const drawers = [
  { panel: find("rooms-panel"), opener: find("open-rooms") },
  { panel: find("people-panel"), opener: find("open-people") },
];
let open;

function set(drawer) {
  open = drawer;
  for (const d of drawers) {
    d.panel.toggleAttribute("data-open", d === drawer);
    d.opener.ariaExpanded = String(d === drawer);
  }
  find("chat").inert = Boolean(drawer);
  find("app").toggleAttribute("data-drawer", Boolean(drawer));
}

/** Closes the drawer that is open, and returns to what opened it. */
export function close() {
  if (!open) return;
  const { opener } = open;
  set(undefined);
  opener.focus();
}

for (const drawer of drawers) {
  drawer.opener.addEventListener("click", () => {
    set(drawer);
    drawer.panel.querySelector("[aria-current], .close")?.focus();
  });
  drawer.panel.querySelector(".close").addEventListener("click", close);
}
find("scrim").addEventListener("click", close);
addEventListener("keydown", (e) => {
  if (e.key !== "Escape" || !open) return;
  e.preventDefault();
  close();
});
// A window that has grown shows the panels anyway.
matchMedia("(min-width: 64rem)").addEventListener("change", () => open && set(undefined));
