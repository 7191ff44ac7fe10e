// Draws the steps of `holdfast bench strategies` as one SVG: throughput and conflicts against the number of clients.
// strategies.ts calls it.
import type { Step } from './measure.ts';

/** Told apart also by eyes that see few colours. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#aa4499'];
const SYMBOLS = ['circle', 'rect', 'triangle', 'diamond'];
const WIDTH = 820;
const HEIGHT = 620;

/** The library, where it is installed. @throws with `code` ERR_MODULE_NOT_FOUND where it is not */
export function loadCharts(): Promise<typeof import('echarts')> {
  return import('echarts');
}

/** @returns the text of the SVG */
export function plotOf(
  echarts: Awaited<ReturnType<typeof loadCharts>>,
  steps: readonly Step[],
  subtitle: string,
): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  try {
    chart.setOption(optionOf(steps, subtitle));
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

function optionOf(steps: readonly Step[], subtitle: string) {
  const clients = [...new Set(steps.map((step) => step.clients))].sort((a, b) => a - b);
  const names = [...new Set(steps.map(({ strategy }) => strategy))];
  const points = (name: string, of: (step: Step) => number): (number | null)[] =>
    clients.map((count) => {
      const step = steps.find(({ strategy, clients }) => strategy === name && clients === count);
      return step === undefined ? null : Math.round(of(step) * 10) / 10;
    });
  const line = (name: string, panel: number, data: (number | null)[]) => ({
    name,
    type: 'line',
    xAxisIndex: panel,
    yAxisIndex: panel,
    data,
    symbol: SYMBOLS[names.indexOf(name)],
    symbolSize: 8,
  });
  return {
    animation: false,
    backgroundColor: '#ffffff',
    color: COLOURS,
    title: { text: 'One contended key: successful operations a second', subtext: subtitle, left: 'center' },
    legend: { bottom: 8, data: names },
    grid: [
      { left: 80, right: 30, top: 70, height: 250 },
      { left: 80, right: 30, top: 390, height: 140 },
    ],
    xAxis: [0, 1].map((panel) => ({
      type: 'category',
      gridIndex: panel,
      data: clients.map(String),
      name: panel === 1 ? 'clients' : '',
      nameLocation: 'middle',
      nameGap: 26,
    })),
    yAxis: [
      { type: 'value', gridIndex: 0, name: 'operations/s', min: 0 },
      {
        type: 'value',
        gridIndex: 1,
        name: 'tries that met somebody else, %',
        min: 0,
        max: 100,
        nameTextStyle: { align: 'left' },
      },
    ],
    series: [
      ...names.map((name) =>
        line(
          name,
          0,
          points(name, ({ throughput }) => throughput),
        ),
      ),
      ...names.map((name) =>
        line(
          name,
          1,
          points(name, ({ conflictRate }) => conflictRate * 100),
        ),
      ),
    ],
  };
}
