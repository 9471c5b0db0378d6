"""How a table's page looks, on white and on black. The colours of lines stand out from it by 3 to 1 or more, and differ
in lightness where colour-blind people see the same hue; lines also have marks of three shapes."""

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1c1c; --dim: #555; --rule: #d4d4d4; --link: #0b57a4;
  --tint: #f3f5f7; --bar: #4393c9;
  --c1: #0060bf; --c2: #ff4000; --c3: #4c2237; --c4: #e66787; --c5: #00004c; --c6: #731d00; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181b; --ink: #e8e8e8; --dim: #a8adb3; --rule: #3a3f45;
  --link: #8ab8f0; --tint: #1f2327; --bar: #2f7fb8;
  --c1: #67a6e6; --c2: #e62e8a; --c3: #00ffbf; --c4: #e6c667; --c5: #bf7056; --c6: #bfff00; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 80rem; margin: 0 auto; padding: clamp(1.25rem, 4vh, 2.5rem) 1rem 4rem; }
h1 { font-size: clamp(1.3rem, 4vw, 1.6rem); line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; }
p, .notes { max-width: 48rem; margin: .25rem 0; overflow-wrap: anywhere; }
a { color: var(--link); }
.sub, .notes { color: var(--dim); font-size: .925rem; }
.notes { padding-left: 1.4rem; }
.wide { overflow-x: auto; margin: 1rem 0 .5rem; }
.wide:focus-visible { outline: 2px solid var(--link); outline-offset: 3px; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th { font-weight: 600; }
thead th { vertical-align: bottom; }
thead th[colspan] { text-align: center; white-space: normal; }
thead small { display: block; font-weight: 400; color: var(--dim); }
.first { padding-left: 1rem; }
.diff { color: var(--dim); }
sup { font-size: .7em; line-height: 0; margin-left: .2em; } sup a { text-decoration: none; }
.mark { color: var(--dim); margin-left: .15em; }
tbody th { text-align: left; position: sticky; left: 0; background: var(--paper); }
tr > :first-child:not([class]) { padding-left: 0; }
.key { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; margin: .5rem 0 1rem; padding: 0;
  font-size: .9rem; }
.key svg { width: 30px; vertical-align: middle; margin-right: .5rem; overflow: visible; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 23rem), 1fr)); gap: 1.25rem 2rem; }
figure { margin: 0; }
figcaption { font-weight: 600; font-size: .95rem; margin-bottom: .25rem; }
figure svg { width: 100%; max-width: 32rem; height: auto; display: block; }
.curves svg { max-width: 46rem; }
.curves.wide svg { min-width: 46rem; max-width: 66rem; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg .tick { text-anchor: middle; fill: var(--dim); }
svg .side { text-anchor: end; fill: var(--dim); } svg .unit { fill: var(--dim); }
svg .name { text-anchor: end; }
.grid { stroke: var(--rule); fill: none; } .zero { stroke: var(--dim); fill: none; }
.whisker { stroke: var(--ink); stroke-width: 1.5; fill: none; }
.dot { fill: var(--paper); stroke: var(--ink); stroke-width: 1.2; }
rect.quoted { fill: none; stroke: var(--dim); stroke-width: 1.5; }
.ours { stroke-width: 2.4; fill: none; stroke-linejoin: round; }
path.quoted { stroke-width: 1.6; stroke-dasharray: 6 4; fill: none; stroke-linejoin: round; }
.ink { stroke: var(--ink); }
.bar { fill: var(--bar); }
.c0 { fill: var(--c1); } .c1 { fill: var(--c2); } .c2 { fill: var(--c3); }
.c3 { fill: var(--c4); } .c4 { fill: var(--c5); } .c5 { fill: var(--c6); }
.s0 { stroke: var(--c1); } .s1 { stroke: var(--c2); } .s2 { stroke: var(--c3); }
.s3 { stroke: var(--c4); } .s4 { stroke: var(--c5); } .s5 { stroke: var(--c6); }
.plain { padding-left: 1.25rem; margin: .25rem 0; }
.runs th, .runs td { text-align: left; vertical-align: top; }
.runs th { white-space: normal; }
.runs td { white-space: normal; min-width: 11rem; } .runs .short { min-width: 0; }
.runs tr:target > * { background: var(--tint); }
.runs small { display: block; font-weight: 400; }
code { font-size: .85rem; overflow-wrap: anywhere; }
summary { cursor: pointer; white-space: nowrap; }
details code { display: block; max-width: 34rem; margin: .25rem 0; }
@media (max-width: 40rem) { table { font-size: .85rem; } tbody th { white-space: normal; min-width: 7rem; }
  .curves svg text { font-size: 17px; } .curves.wide svg text { font-size: 15px; } }
"""
