import { Box } from 'ink';
import type { ComponentType } from 'react';
import type { Model } from '../model/model.js';
import type { PanelId, Ui } from '../screen/state.js';
import { GUTTER, layOut, type Size } from '../view/layout.js';
import { Members } from './members.js';
import { Messages } from './messages.js';
import type { PanelProps } from './panel.js';
import { Partitions } from './partitions.js';
import { Rates } from './rates.js';
import { StreamPanel } from './stream-panel.js';
import { Timeline } from './timeline.js';
import { Updates } from './updates.js';

const PANELS: Readonly<Record<PanelId, ComponentType<PanelProps>>> = {
  partitions: Partitions,
  members: Members,
  updates: Updates,
  messages: Messages,
  timeline: Timeline,
  rates: Rates,
  stream: StreamPanel,
};

/** The panels that fit on the screen, in columns within bands. */
export function Panels({ model, ui, room }: { model: Model; ui: Ui; room: Size }) {
  return layOut(model, ui, room).map(({ height, stacks }, band) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a band is identified only by its place
    <Box key={band} height={height} columnGap={GUTTER}>
      {stacks.map(({ width, panels }, stack) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a column is identified only by its place
        <Box key={stack} width={width} flexDirection="column">
          {panels.map(({ id, height: rows }) => {
            const Shown = PANELS[id];
            return <Shown key={id} model={model} ui={ui} width={width} height={rows} />;
          })}
        </Box>
      ))}
    </Box>
  ));
}
