"use strict";
// Numbers as readers want them: with their unit, in three significant places unless a panel says how many.
viewer.units = (() => {
  const DASH = "–";
  const step = (factor, names) => names.map((name, index) => [factor ** index, name]);
  const ladders = {
    short: step(1e3, ["", " K", " Mil", " Bil", " Tri"]),
    bytes: step(1024, [" B", " KiB", " MiB", " GiB", " TiB"]),
    decbytes: step(1e3, [" B", " kB", " MB", " GB", " TB"]),
    binBps: step(1024, [" B/s", " KiB/s", " MiB/s", " GiB/s"]),
    Bps: step(1e3, [" B/s", " kB/s", " MB/s", " GB/s"]),
    s: [[1e-9, " ns"], [1e-6, " µs"], [1e-3, " ms"], [1, " s"], [60, " min"], [3600, " h"], [86400, " d"]],
    reqps: step(1e3, [" req/s", "K req/s", "M req/s"]),
    ops: step(1e3, [" ops/s", "K ops/s", "M ops/s"]),
    opm: step(1e3, [" ops/min", "K ops/min", "M ops/min"]),
    rpm: step(1e3, [" /min", "K /min", "M /min"]),
    reqpm: step(1e3, [" req/min", "K req/min", "M req/min"]),
    cps: step(1e3, [" c/s", "K c/s", "M c/s"]),
    cpm: step(1e3, [" c/min", "K c/min", "M c/min"]),
    rps: step(1e3, [" rd/s", "K rd/s", "M rd/s"]),
    wps: step(1e3, [" wr/s", "K wr/s", "M wr/s"]),
  };
  const LADDER_OF = { clocks: "s", dtdurations: "s", deckbytes: "decbytes" };
  // Units of which the data come in a part or a multiple of the ladder's unit.
  const SCALED = { ms: ["s", 1e-3], µs: ["s", 1e-6], us: ["s", 1e-6], ns: ["s", 1e-9], m: ["s", 60], h: ["s", 3600], d: ["s", 86400], kbytes: ["bytes", 1024], mbytes: ["bytes", 1024 ** 2], gbytes: ["bytes", 1024 ** 3] };
  const SUFFIXES = { percent: "%", celsius: " °C", hertz: " Hz", currencyTWD_after: " NT$" };
  const CURRENCIES = { currencyTWD: "NT$", currencyUSD: "$", currencyEUR: "€", currencyCNY: "¥", currencyJPY: "¥" };

  const places = (value) => {
    const size = Math.abs(value);
    if (size === 0 || size >= 100) return 0;
    if (size >= 10) return 1;
    return size >= 1 ? 2 : Math.min(6, 2 - Math.floor(Math.log10(size)));
  };
  const number = (value, decimals) => {
    const exact = decimals !== undefined && decimals !== null;
    return value.toLocaleString("en-US", exact ? { minimumFractionDigits: decimals, maximumFractionDigits: decimals } : { maximumFractionDigits: places(value) });
  };

  const onLadder = (value, ladder, decimals) => {
    const size = Math.abs(value);
    const fits = ladder.filter(([least]) => size >= least * 0.9999999);
    const [least, name] = fits.at(-1) ?? (size === 0 ? ladder.find(([at]) => at === 1) : ladder[0]);
    return number(value / least, decimals) + name;
  };

  const special = (value) => (Number.isNaN(value) ? "NaN" : value > 0 ? "+∞" : "-∞");
  const prefixed = (value, prefix, decimals) => `${value < 0 ? "-" : ""}${prefix}${onLadder(Math.abs(value), ladders.short, decimals)}`;

  // `unit` is one of Grafana's names of units; a text that is none of them stands behind the number.
  const format = (value, unit, decimals) => {
    if (value === null || value === undefined) return DASH;
    if (!Number.isFinite(value)) return special(value);
    if (!unit || unit === "none") return number(value, decimals);
    if (unit === "percentunit") return `${number(value * 100, decimals)}%`;
    if (unit === "bool") return value ? "True" : "False";
    if (unit === "bool_yes_no") return value ? "Yes" : "No";
    if (unit === "bool_on_off") return value ? "On" : "Off";
    if (unit === "locale" || unit === "string") return number(value, decimals ?? Math.min(3, places(value)));
    if (/^dateTime/.test(unit)) return viewer.time.stamp(value);
    if (SUFFIXES[unit]) return number(value, decimals) + SUFFIXES[unit];
    if (CURRENCIES[unit]) return prefixed(value, CURRENCIES[unit], decimals);
    const custom = /^(suffix|prefix|currency):(.*)$/.exec(unit);
    if (custom) return custom[1] === "suffix" ? number(value, decimals) + custom[2] : prefixed(value, custom[2], decimals);
    const [name, factor] = SCALED[unit] ?? [LADDER_OF[unit] ?? unit, 1];
    const ladder = ladders[name];
    return ladder ? onLadder(value * factor, ladder, decimals) : `${number(value, decimals)} ${unit}`;
  };

  // Value mappings come before units: {text, color} or null.
  const mapped = (value, mappings) => {
    for (const mapping of mappings ?? []) {
      const { options, type } = mapping;
      if (type === "value" && options[value === null ? "null" : String(value)]) return options[String(value)];
      if (type === "range" && value !== null && value >= (options.from ?? -Infinity) && value <= (options.to ?? Infinity)) return options.result;
      if (type === "special") {
        const fits = { null: value === null, nan: Number.isNaN(value), "null+nan": value === null || Number.isNaN(value), true: value === 1, false: value === 0, empty: value === null }[options.match];
        if (fits) return options.result;
      }
    }
    return null;
  };
  const show = (value, config) => mapped(value, config.mappings)?.text ?? format(value, config.unit, config.decimals);

  return { DASH, format, mapped, show };
})();
