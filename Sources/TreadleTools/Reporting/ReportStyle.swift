/// The style sheet of reports: light and dark, narrow and wide, on paper.
enum ReportStyle {
    static let text = """
        :root { --page: #ffffff; --ink: #1b1f24; --soft: #59636e; --rule: #d8dee4; --panel: #f6f8fa;
          --alarm: #c93434; --warning: #b35900; --well: #1a7f4b; }
        @media (prefers-color-scheme: dark) { :root { --page: #14171b; --ink: #e6e9ed; --soft: #9aa4af;
          --rule: #343a42; --panel: #1c2127; --alarm: #ff8585; --warning: #ffab57; --well: #58cf94; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
        main { max-width: 1180px; margin: 0 auto; padding: 20px 20px 48px; }
        main.wide { max-width: none; }
        h1 { font-size: 26px; line-height: 1.2; margin: 8px 0 2px; overflow-wrap: anywhere; }
        h2 { font-size: 17px; margin: 36px 0 10px; padding-bottom: 4px; border-bottom: 1px solid var(--rule); }
        p { margin: 6px 0 10px; }
        .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
        .soft { color: var(--soft); }
        .tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 10px; margin-top: 16px; }
        .tiles div { background: var(--panel); border: 1px solid var(--rule); border-radius: 8px; padding: 10px 12px; }
        .tiles b { display: block; font-size: 20px; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
        .tiles small { display: block; color: var(--soft); font-size: 12px; }
        .tiles span { color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
        .well { color: var(--well); font-weight: 600; }
        .signs { list-style: none; margin: 0; padding: 0; }
        .signs li { border-left: 4px solid var(--rule); background: var(--panel); padding: 8px 12px; margin: 8px 0;
          border-radius: 0 6px 6px 0; }
        .signs .alarm { border-color: var(--alarm); } .signs .alarm b { color: var(--alarm); }
        .signs .warning { border-color: var(--warning); } .signs .warning b { color: var(--warning); }
        .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(340px, 100%), 1fr)); gap: 18px; }
        .charts figure { min-width: 0; }
        .chart { display: block; width: 100%; height: auto; max-width: 460px; overflow: visible; }
        .chart .axis { font-size: 13px; } .chart path { vector-effect: non-scaling-stroke; }
        .plot figcaption { display: flex; flex-wrap: wrap; gap: 2px 14px; margin-bottom: 6px; color: var(--ink);
          font-size: 13px; text-align: left; overflow-wrap: anywhere; }
        .plot b { flex-basis: 100%; font-size: 14px; }
        .key { width: 22px; height: 8px; margin-right: 6px; vertical-align: middle; }
        .pairs { grid-template-columns: minmax(0, 1fr); }
        @media (min-width: 900px) { .pairs { grid-template-columns: repeat(2, minmax(0, 1fr)); }
          .pairs .chart { max-width: 560px; } .pairs .axis { font-size: 10.5px; } }
        .scroll { overflow-x: auto; position: relative; max-width: 100%; }
        .scroll + *, .tables + *, .charts + * { margin-top: 14px; }
        .tables { display: flex; flex-wrap: wrap; gap: 14px 48px; align-items: flex-start; }
        .tables .scroll { max-width: 100%; margin-top: 0; }
        summary { cursor: pointer; color: var(--soft); padding: 4px 0; } details[open] summary { margin-bottom: 4px; }
        table { border-collapse: collapse; font-size: 14px; }
        th, td { padding: 4px 12px 4px 0; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--rule); }
        thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
        tbody th { font-weight: 400; } .confusion tbody th { font-weight: 600; }
        .wraps th, .wraps td { vertical-align: top; } .wraps thead th { white-space: normal; vertical-align: bottom; }
        .wraps tbody th, .wraps td:not(.n) { white-space: normal; overflow-wrap: anywhere; min-width: 8em; max-width: 32em; }
        .wraps td:last-child { white-space: nowrap; }
        .n { text-align: right; font-variant-numeric: tabular-nums; }
        .share { display: inline-block; width: 120px; height: 10px; background: var(--panel); vertical-align: middle; }
        .share i { display: block; height: 100%; background: var(--soft); }
        .bars { width: 120px; height: 24px; display: block; } .bars path { fill: var(--soft); }
        .confusion td, .confusion th { padding: 3px 7px; border: 1px solid var(--rule); }
        .confusion .answer { vertical-align: bottom; padding-top: 10px; }
        .confusion .answer span { writing-mode: vertical-rl; transform: rotate(180deg); }
        .matrix { width: min(100%, 640px); image-rendering: pixelated; border: 1px solid var(--rule); }
        .units { display: grid; grid-template-columns: repeat(auto-fill, minmax(64px, 1fr)); gap: 8px; }
        figure { margin: 0; } .units img { width: 100%; image-rendering: pixelated; border: 1px solid var(--rule);
          display: block; }
        figcaption { font-size: 11px; color: var(--soft); text-align: center; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0; }
        dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
        pre { background: var(--panel); border: 1px solid var(--rule); border-radius: 8px; padding: 12px; overflow-x: auto;
          font: 12.5px/1.45 ui-monospace, "DejaVu Sans Mono", monospace; margin: 0; }
        @media (max-width: 560px) { main { padding: 12px 12px 32px; } dl { grid-template-columns: 1fr; gap: 0; }
          dd { margin-bottom: 8px; } }
        @media print { :root { --page: #ffffff; --ink: #000000; --soft: #444444; --rule: #bbbbbb; --panel: #ffffff; }
          main { max-width: none; padding: 0; } section, figure, .chart, tr { break-inside: avoid; } section:last-of-type,
          section:has(pre) { break-inside: auto; } pre { white-space: pre-wrap; border: 0; padding: 0; }
          .scroll { overflow: visible; } body { font-size: 11pt; -webkit-print-color-adjust: exact;
          print-color-adjust: exact; } }
        """
}
