// Makes JSON Schemas of Grafana's types: the dashboard, and of each type of panel its options and what
// it adds to a field. They go to standard output.
import { createGenerator } from 'ts-json-schema-generator';

const raw = 'node_modules/@grafana/schema/dist/types/raw/';
const make = (path, type) =>
  createGenerator({ path: raw + path, type, skipTypeCheck: true, topRef: false }).createSchema(type);

const schemas = { dashboard: make('dashboard/x/types.gen.d.ts', 'Dashboard') };
for (const panel of ['timeseries', 'stat', 'gauge', 'heatmap', 'table']) {
  const path = `composable/${panel}/panelcfg/x/types.gen.d.ts`;
  schemas[`${panel}.options`] = make(path, 'Options');
}
for (const panel of ['timeseries', 'table']) {
  schemas[`${panel}.field`] = make(`composable/${panel}/panelcfg/x/types.gen.d.ts`, 'FieldConfig');
}
process.stdout.write(JSON.stringify(schemas));
