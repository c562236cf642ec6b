/** The look of the page: one column, few colours, hairlines; the same on paper. */
import { Markup } from './markup.ts';

/** Colours of executors in charts, in order of their share; with more executors they come again. */
export const SERIES = 6;

export const STYLE = new Markup(`
:root{color-scheme:light dark;
--paper:#fbfaf7;--card:#fff;--ink:#22201c;--soft:#6b665d;--faint:#9a948a;--line:#e5e1d8;--wash:#f1eee7;
--good:#2c7a63;--bad:#b4472d;--warn:#a97514;--accent:#2b6a8a;--gate:#8a9bb5;--lost:#b9b2a6;
--s0:#2b6a8a;--s1:#c98a3c;--s2:#5f9477;--s3:#9b6a94;--s4:#7d8794;--s5:#b0755f}
@media(prefers-color-scheme:dark){:root{
--paper:#171614;--card:#1e1d1a;--ink:#ebe7df;--soft:#a8a297;--faint:#7a756b;--line:#34312c;--wash:#26241f;
--good:#63b898;--bad:#e0805f;--warn:#d9a646;--accent:#6fb0d0;--gate:#7889a6;--lost:#5d584f;
--s0:#6fb0d0;--s1:#dba45c;--s2:#84bb9c;--s3:#c08fb8;--s4:#98a3b1;--s5:#cf937c}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);
font:14px/1.5 ui-sans-serif,-apple-system,"Segoe UI",Roboto,"PingFang SC","Hiragino Sans GB","Noto Sans CJK SC","Noto Sans SC","Microsoft YaHei",sans-serif;
font-variant-numeric:tabular-nums;font-feature-settings:"kern","liga"}
main{max-width:1080px;margin:0 auto;padding:40px 32px 56px}
header{display:flex;flex-wrap:wrap;align-items:baseline;gap:2px 16px;margin-bottom:6px}
h1{font-size:27px;line-height:1.2;font-weight:650;letter-spacing:-.012em;margin:0}
.kind{width:100%;color:var(--accent);font-size:12px;font-weight:650;letter-spacing:.09em;text-transform:uppercase}
:lang(zh) .kind{letter-spacing:.3em}
.asof{color:var(--soft)}
.lead{font-size:16.5px;line-height:1.55;color:var(--soft);margin:6px 0 22px;max-width:62em}
.cards{display:grid;grid-template-columns:repeat(6,1fr);border:1px solid var(--line);border-radius:10px;background:var(--card);margin:0 0 30px;overflow:hidden}
.card{padding:13px 14px 11px;border-left:1px solid var(--line);min-width:0;display:flex;flex-direction:column}
.card:first-child{border-left:0}
.card h2{font-size:12px;font-weight:500;color:var(--soft);margin:0;border:0;padding:0}
.card b{font-size:24px;font-weight:650;letter-spacing:-.015em;line-height:1.3;white-space:nowrap}
.card small{font-size:11.5px;line-height:1.4;color:var(--soft);display:block}
.card svg{width:100%;height:26px;margin-top:auto;padding-top:6px}
section{margin:0 0 30px;break-inside:auto}
h2{font-size:17px;font-weight:650;letter-spacing:-.005em;margin:0 0 10px;padding-bottom:6px;border-bottom:1px solid var(--line);break-after:avoid}
h3{font-size:15px;font-weight:650;margin:20px 0 6px;break-after:avoid}
h3:first-of-type{margin-top:4px}
h3 span{font-weight:400;font-size:12.5px;color:var(--soft);margin-left:10px}
h4{font-size:12.5px;font-weight:600;color:var(--soft);margin:14px 0 4px;break-after:avoid}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:0 36px}
.pair section{min-width:0}
p{margin:6px 0}
ul{margin:6px 0;padding-left:18px}
li{margin:3px 0}
.card small.good{color:var(--good)}.card small.bad{color:var(--bad)}
.muted{color:var(--soft)}.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
code{font:12.5px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,"Noto Sans Mono CJK SC",monospace;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-size:13px}
th{font-size:11.5px;font-weight:500;color:var(--faint);text-align:left;padding:3px 10px 4px 0;border-bottom:1px solid var(--line);white-space:nowrap}
td{padding:4px 10px 4px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
tr:last-child td{border-bottom:0}
tr{break-inside:avoid}
th:last-child,td:last-child{padding-right:0}
.num{text-align:right;white-space:nowrap}
.num+:not(.num){padding-left:14px}
td.code{max-width:22em}
td.whole{white-space:nowrap}
.more{color:var(--faint);font-size:12px;margin:2px 0 0}
.gauge{display:inline-block;width:56px;height:6px;border-radius:3px;background:var(--wash);margin-right:8px;vertical-align:middle;overflow:hidden}
.gauge i{display:block;height:100%;background:currentColor;border-radius:3px}
.beside{display:inline-block;min-width:3em;text-align:right}
td .gauge{color:var(--accent)}td.good .gauge{color:var(--good)}td.bad .gauge{color:var(--bad)}td.warn .gauge{color:var(--warn)}
td.good:has(.gauge),td.bad:has(.gauge),td.warn:has(.gauge){color:inherit}
ol.todo{list-style:none;counter-reset:n;margin:0;padding:0;display:grid;grid-template-columns:1fr 1fr;gap:0 36px}
ol.todo li{counter-increment:n;display:grid;grid-template-columns:24px 1fr;margin:0;padding:6px 0;border-bottom:1px solid var(--line);break-inside:avoid}
ol.todo li::before{content:counter(n);color:var(--faint);font-size:12px;padding-top:1px}
ol.todo code{display:block;font-weight:600;color:var(--ink)}
ol.todo small{display:block;font-size:12.5px;color:var(--soft);overflow:hidden;text-overflow:ellipsis}
.parts{display:flex;height:10px;border-radius:5px;overflow:hidden;gap:1px;margin:6px 0 5px;background:var(--wash)}
.parts i{display:block;min-width:3px}
.keys{display:flex;flex-wrap:wrap;gap:2px 16px;font-size:12px;color:var(--soft);margin:0}
.keys i{display:inline-block;width:8px;height:8px;border-radius:2px;margin-right:6px}
.f-merged{background:var(--good);fill:var(--good)}.f-you{background:var(--warn);fill:var(--warn)}.f-agents{background:var(--accent);fill:var(--accent)}
.f-gates{background:var(--gate);fill:var(--gate)}.f-slots{background:var(--s3);fill:var(--s3)}.f-tasks{background:var(--lost);fill:var(--lost)}.f-out{background:var(--line);fill:var(--line)}
.f-good{background:var(--good);fill:var(--good)}.f-bad{background:var(--bad);fill:var(--bad)}.f-lost{background:var(--lost);fill:var(--lost)}
.f-gate{background:var(--gate);fill:var(--gate)}.f-red{background:var(--warn);fill:var(--warn)}.f-running{background:var(--accent);fill:var(--accent)}
.f-used{background:var(--accent);fill:var(--accent)}.f-available{background:var(--wash);fill:var(--wash)}
.f-s0{background:var(--s0);fill:var(--s0)}.f-s1{background:var(--s1);fill:var(--s1)}.f-s2{background:var(--s2);fill:var(--s2)}.f-s3{background:var(--s3);fill:var(--s3)}.f-s4{background:var(--s4);fill:var(--s4)}.f-s5{background:var(--s5);fill:var(--s5)}
figure{margin:0 0 18px;break-inside:avoid}
figcaption{display:flex;flex-wrap:wrap;align-items:baseline;justify-content:space-between;gap:0 16px;margin-bottom:4px}
figcaption b{font-size:13px;font-weight:600}
.part{font-size:12px;color:var(--soft);margin-right:auto;font-variant-numeric:tabular-nums}
figure svg{display:block;width:100%;height:auto;overflow:visible}
svg text{font:10.5px ui-sans-serif,-apple-system,"Segoe UI",Roboto,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;fill:var(--faint);font-variant-numeric:tabular-nums}
svg .lane{fill:var(--soft)}
svg .rule{stroke:var(--line);stroke-width:1;shape-rendering:crispEdges}
svg .now{stroke:var(--bad);stroke-width:1;stroke-dasharray:2 3}
svg .top{fill:none;stroke:var(--accent);stroke-width:1.5}
svg .roof{fill:none;stroke:var(--faint);stroke-width:1;stroke-dasharray:3 3}
svg .area{fill:var(--accent);opacity:.22}
svg .last{fill:var(--accent)}svg .day{fill:var(--lost)}
details{margin:4px 0 0;font-size:12px}
summary{color:var(--faint);cursor:pointer;width:max-content}
summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
details table{max-width:640px;font-size:12px}
footer{color:var(--faint);font-size:12px;border-top:1px solid var(--line);padding-top:10px}
#notes li{color:var(--soft);font-size:12.5px}
@media screen and (max-width:820px){figure{overflow-x:auto}figure svg{min-width:680px}main{padding:20px 16px}.cards{grid-template-columns:repeat(3,1fr)}.card:nth-child(4){border-left:0}.card:nth-child(n+4){border-top:1px solid var(--line)}.pair,ol.todo{grid-template-columns:1fr}section{overflow-x:auto}}
@media screen and (max-width:460px){.cards{grid-template-columns:repeat(2,1fr)}.card:nth-child(odd){border-left:0}.card:nth-child(n+3){border-top:1px solid var(--line)}.card:nth-child(4){border-left:1px solid var(--line)}}
@page{size:A4;margin:14mm 13mm}
@media print{:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#22201c;--soft:#5d584f;--faint:#857f75;--line:#dcd7cc;--wash:#f1eee7;--good:#2c7a63;--bad:#b4472d;--warn:#a97514;--accent:#2b6a8a;--gate:#8a9bb5;--lost:#b9b2a6;--s0:#2b6a8a;--s1:#c98a3c;--s2:#5f9477;--s3:#9b6a94;--s4:#7d8794;--s5:#b0755f}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
body{font-size:11.5px}main{max-width:none;padding:0}details{display:none}.cards{margin-bottom:18px}.card{padding:9px 10px 8px}.card b{font-size:18px}.card small{font-size:10px}section{margin-bottom:18px}h1{font-size:22px}.lead{font-size:13.5px;margin-bottom:14px}.keys,ol.todo small{font-size:10.5px}table{font-size:11px}code{font-size:10.5px}}
`);
