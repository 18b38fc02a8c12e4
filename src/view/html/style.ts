/** How a report looks, on screens from 400 pixels on and on paper. */
import { colourStyle, LADDER_STYLE, MONOSPACE, SANS } from "../svg/style.ts";
import type { OutcomeStyle } from "../verdict.ts";

const LOOKS: Record<OutcomeStyle, string> = { good: "green", bad: "red", partly: "amber", dim: "dim" };
const looks = Object.entries(LOOKS).map(([look, colour]) => `.${look}{--c:var(--${colour})}`);

export const PAGE_STYLE = `${colourStyle(":root")}
${LADDER_STYLE}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 ${SANS};overflow-wrap:anywhere}
main{max-width:1860px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:30px;line-height:1.2;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:23px;line-height:1.25;margin:0 0 10px;letter-spacing:-.01em}
h3{font-size:13px;margin:0 0 4px;color:var(--dim);font-weight:600}
p{margin:0}
a{color:var(--blue);text-underline-offset:2px}
a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--blue);outline-offset:2px}
.lead{color:var(--dim);margin-bottom:24px}
.pill{display:inline-block;padding:1px 10px;border-radius:12px;font-size:13px;font-weight:600;line-height:1.6;
white-space:nowrap;color:var(--c);border:1px solid var(--c);background:color-mix(in srgb,var(--c) 10%,var(--paper))}
${looks.join("\n")}
table{border-collapse:collapse;width:100%}
th{font-size:13px;text-align:left;color:var(--dim);font-weight:600;padding:6px 16px 6px 0;vertical-align:bottom}
td{padding:10px 16px 10px 0;vertical-align:top;border-top:1px solid var(--rule)}
.summary a{font-weight:600}
.summary ul{margin:0;padding:0;list-style:none}
.summary td:nth-child(1){width:26%}
.summary :is(th,td):nth-child(2){width:9ch}
.summary td:nth-child(2){color:var(--dim);font-size:15px}
section{margin-top:56px;padding-top:32px;border-top:2px solid var(--rule)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,320px),1fr));gap:20px 40px;margin:18px 0 20px}
.facts .pill{margin-bottom:6px}
.expectations{margin:0;padding:0;list-style:none}
.expectations li{padding-left:26px;position:relative}
.expectations li::before{content:"";position:absolute;left:0;top:5px;width:16px;height:16px;border-radius:50%;
background:var(--c)}
.expectations li::after{content:"";position:absolute;left:5px;top:7px;width:5px;height:9px;border:solid var(--paper);
border-width:0 2px 2px 0;transform:rotate(45deg)}
.expectations .bad::after{left:7px;top:8px;width:2px;height:10px;border:0;background:var(--paper)}
.expectations .bad b{color:var(--c)}
.scroll{overflow-x:auto;border:1px solid var(--rule);border-radius:10px;background:var(--paper)}
.scroll svg{display:block;width:100%;height:auto;min-width:calc(.88*var(--natural));max-width:var(--natural);margin:0 auto}
details{margin-top:14px}
summary{cursor:pointer;font-weight:600;padding:6px 0;width:fit-content}
.events{overflow-x:auto}
.events table{font:12.5px/1.5 ${MONOSPACE};min-width:640px}
.events th{white-space:nowrap}
.events td{padding:3px 16px 3px 0}
.events td:nth-child(3){min-width:14ch}
.events td:nth-child(-n+2),.events td:last-child{white-space:nowrap;color:var(--dim);text-align:right}
.events th:nth-child(-n+2),.events th:last-child{text-align:right}
.events tr:target td{background:var(--panel)}
@media (max-width:700px){
main{padding:20px 14px 48px}
h1{font-size:25px}
h2{font-size:20px}
section{margin-top:40px;padding-top:24px}
.summary thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
.summary tr,.summary td{display:block;width:auto!important;padding:0;border:0}
.summary tr{padding:14px 0;border-top:1px solid var(--rule)}
.summary td+td{margin-top:6px}
}
@media print{
main{padding:0;max-width:none}
section{break-before:page;margin:0;padding:0;border:0}
.scroll{overflow:visible;border:0}
.scroll svg{min-width:0}
.events{overflow:visible}
details::details-content{content-visibility:visible}
}`;
