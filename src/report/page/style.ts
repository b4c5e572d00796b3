/** The style sheet of a report: readable on a screen, a phone and paper, in light and dark. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --muted: #59636e; --rule: #c9cfd6; --page: #fff; --panel: #f5f7f9; --band: #dfe4ea;
  --real: #0072b2; --generated: #d55e00; --failed: #b42318; --uncertain: #8a5a00; --passed: #18713a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaee; --muted: #a2acb8; --rule: #444c56; --page: #15181c; --panel: #1e2329; --band: #343b44;
  --real: #56b4e9; --generated: #f5924e; --failed: #ff8a80; --uncertain: #f0c36d; --passed: #7dd69a; } }
@media print { :root { color-scheme: light; --ink: #000; --muted: #444; --rule: #bbb; --page: #fff; --panel: #fff; --band: #e2e2e2;
  --real: #0072b2; --generated: #d55e00; --failed: #b42318; --uncertain: #8a5a00; --passed: #18713a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .6rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
h3 { font-size: .95rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
p { margin: .5rem 0; max-width: 46rem; }
.about, figcaption, .legend { color: var(--muted); font-size: .875rem; }
.findings { list-style: none; margin: 1.25rem 0 0; padding: 0; display: grid; gap: .5rem; }
.findings li { display: grid; grid-template-columns: 6.75rem 1fr; gap: .75rem; padding: .6rem .8rem; background: var(--panel);
  border-left: 4px solid var(--mark); border-radius: 3px; }
.findings b { color: var(--mark); font-weight: 600; white-space: nowrap; }
.failed { --mark: var(--failed); } .uncertain { --mark: var(--uncertain); } .passed { --mark: var(--passed); }
.part { margin-top: 2rem; font-size: 1.05rem; } .narrow { max-width: 40rem; margin-top: 1.25rem; }
.legend span { display: inline-flex; align-items: center; gap: .4rem; margin-right: 1.25rem; }
.legend i { width: 1rem; height: .7rem; display: inline-block; border-radius: 2px; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(16.5rem, 1fr)); gap: 1.5rem 1.25rem; margin-top: 1rem; }
.grid.small { grid-template-columns: repeat(auto-fill, minmax(12.5rem, 1fr)); }
.grid.wide { grid-template-columns: repeat(auto-fill, minmax(min(27rem, 100%), 1fr)); }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; }
.pair span { font-size: .8rem; color: var(--muted); }
figure { margin: 0; break-inside: avoid; min-width: 0; }
figure svg { display: block; width: 100%; height: auto; font-size: 11px; font-family: inherit; fill: var(--ink); overflow: visible; }
.scroll { overflow-x: auto; margin: 0 0 1.2rem; } .caption { color: var(--muted); font-size: .875rem; margin: 1.2rem 0 .3rem; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem 1.1rem .3rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
thead th { color: var(--muted); font-weight: 600; } tbody th { font-weight: 500; } .number { text-align: right; white-space: nowrap; }
.rare { display: grid; gap: 1rem; padding: 0; list-style: none; } .rare li { break-inside: avoid; }
.rare p { margin: .15rem 0; } .values { overflow-wrap: anywhere; } mark { background: none; color: var(--generated); font-weight: 600; }
dt { font-weight: 600; margin-top: .6rem; } dd { margin: 0; max-width: 46rem; }
@media (max-width: 34rem) { .grid.wide figure > svg { font-size: 15px; } .narrow svg { font-size: 18px; } .pair { grid-template-columns: 1fr; } main { padding: 1.25rem 1rem 3rem; } .findings li { grid-template-columns: 1fr; gap: .1rem; } table { font-size: .78rem; } th, td { padding-right: .6rem; } .grid.small { grid-template-columns: 1fr 1fr; gap: 1rem .75rem; } }
@media print { body { font-size: 10.5pt; } main { max-width: none; padding: 0; } h2, h3 { break-after: avoid; } .grid { grid-template-columns: repeat(3, 1fr); }
  .grid.small { grid-template-columns: repeat(4, 1fr); } .grid.wide { grid-template-columns: repeat(2, 1fr); } .findings li, tr { break-inside: avoid; } }
`;
