"""How the report looks, on paper white and on black."""

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #22201d; --quiet: #6f6a62; --line: #ddd8cf; --tint: #f6f3ed;
  --published: #f1ecdf; --accent: #8a5a1e; --gain: #0072b2; --loss: #d55e00;
  --c1: #0072b2; --c2: #d55e00; --c3: #009e73; --c4: #b5439a; --c5: #b37c00; --c6: #3a9bdc; }
@media (prefers-color-scheme: dark) { :root { --paper: #171614; --ink: #ece8e0; --quiet: #a49d92; --line: #3a3732;
  --tint: #211f1c; --published: #2b261c; --accent: #dca85f; --gain: #56b4e9; --loss: #f0844a;
  --c1: #56b4e9; --c2: #f0844a; --c3: #2fc79a; --c4: #e38cc4; --c5: #e6b422; --c6: #9dd3f7; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 75rem; padding: 1.5rem clamp(1rem, 3vw, 2.5rem) 4rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: clamp(1.5rem, 4vw, 2.1rem); line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .6rem; padding-bottom: .25rem; border-bottom: 2px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .5rem; }
p { max-width: 46rem; margin: .5rem 0; }
a { color: var(--accent); }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; font-size: .92rem; }
.lead { list-style: none; margin: 1rem 0; padding: 0; }
.lead li { padding: .55rem .9rem; margin: .4rem 0; background: var(--tint); border-left: 4px solid var(--accent); }
.quiet, .quiet td { color: var(--quiet); }
small, .small { font-size: .84rem; }
.card { margin-top: 1rem; background: var(--tint); border: 1px solid var(--line); border-radius: .5rem;
  padding: .4rem 1rem .8rem; }
dl { margin: .4rem 0; }
dl div { display: grid; grid-template-columns: minmax(7rem, 15rem) minmax(0, 1fr); gap: .2rem 1rem; padding: .22rem 0; }
dt { color: var(--quiet); hyphens: auto; }
dt, dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
dd dl div { grid-template-columns: minmax(5rem, 9rem) minmax(0, 1fr); }
code { font-size: .82rem; }
summary { cursor: pointer; color: var(--accent); margin: .4rem 0; }
.box { overflow-x: auto; margin: .6rem 0 1rem; border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
caption { text-align: left; padding: .5rem .75rem; font-weight: 600; }
th, td { padding: .38rem .75rem; text-align: right; vertical-align: top; white-space: nowrap; }
thead th { font-size: .84rem; line-height: 1.3; font-weight: 600; border-bottom: 1px solid var(--line);
  background: var(--tint); white-space: normal; min-width: 5.2rem; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; }
tbody th { font-weight: 600; max-width: 20rem; white-space: normal; min-width: 6.5rem; overflow-wrap: anywhere; }
tbody tr + tr > * { border-top: 1px solid var(--line); }
tbody.reference th { font-weight: 400; }
tbody + tbody tr:first-child > * { border-top: 2px solid var(--quiet); }
td small, th small { display: block; color: var(--quiet); font-weight: 400; white-space: nowrap; }
tbody.published { background: var(--published); }
tbody.published th { font-weight: 400; font-style: italic; }
tbody.published th small { white-space: normal; font-style: normal; }
tbody.band th { text-align: left; font-size: .84rem; background: var(--published); color: var(--accent);
  max-width: none; }
sup { color: var(--accent); font-size: .68rem; margin-left: .15rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem 2rem; }
figure { margin: 0; }
.plot figcaption { font-weight: 600; margin-bottom: .3rem; }
.plot svg { width: 100%; max-width: 36rem; height: auto; display: block; }
svg text { font-size: 12px; fill: var(--quiet); }
.grid { stroke: var(--line); fill: none; }
.line { fill: none; stroke-width: 2.2; stroke-linejoin: round; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.3rem; padding: 0; margin: .8rem 0; }
.legend svg { margin-right: .5rem; vertical-align: middle; }
.strip { margin: .9rem 0 1.3rem; }
.strip > p { margin: 0 0 .3rem; max-width: none; }
.kind { display: inline-block; min-width: 4.6rem; font-weight: 600; }
.pictures { display: flex; gap: .5rem; overflow-x: auto; padding-bottom: .3rem; }
.pictures figure { flex: 1 1 0; min-width: 7.6rem; max-width: 16rem; }
.pictures img { width: 100%; height: auto; display: block; border-radius: .25rem; }
.pictures figcaption { font-size: .84rem; color: var(--quiet); }
.pictures .own figcaption { color: var(--ink); font-weight: 600; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 0 1.5rem;
  align-items: start; }
.bar { display: block; height: .7rem; min-width: 2px; border-radius: 2px; margin-top: .4rem; }
.gain { background: var(--gain); } .loss { background: var(--loss); }
td.bars { width: 34%; min-width: 5rem; }
@media (max-width: 34rem) { dl div { grid-template-columns: 6.2rem minmax(0, 1fr); gap: 0 .6rem; }
  dt { font-size: .88rem; } dd dl div { grid-template-columns: minmax(0, 1fr); }
  dd dl dt { overflow-wrap: anywhere; } .box table { font-size: .92rem; } th, td { padding: .35rem .55rem; }
  tbody th { max-width: 9rem; } tbody.band th { max-width: none; } }
@media print { body { max-width: none; } .box, .pictures { overflow: visible; } .strip { break-inside: avoid; } }
"""
