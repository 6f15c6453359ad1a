import { rateLines } from '../view/rates.js';
import { Lines } from './line.js';
import { Panel, type PanelProps } from './panel.js';

/** The rates and the lag over the last minutes. */
export function Rates(props: PanelProps) {
  const { model, width, height } = props;
  return (
    <Panel {...props} id="rates" title="Rates">
      <Lines of={rateLines(model, width, height - 1).slice(0, height - 1)} />
    </Panel>
  );
}
