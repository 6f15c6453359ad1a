import { Box, Text } from 'ink';
import type { Frame, PanelFrame } from '../view/frame.js';
import { GUTTER } from '../view/layout.js';
import { type Line, type Span, span, textWidth, truncateLine } from '../view/text.js';

/** Whether colours are used; bold, dim and inverse are not colours. */
export interface Look {
  colors: boolean;
  /** What is shown is old: everything is dim. */
  stale?: boolean;
}

function SpanView({ text, color, bold, dim, inverse, colors, stale }: Span & Look) {
  return (
    <Text
      {...(colors && color ? { color } : {})}
      bold={bold ?? false}
      dimColor={stale || (dim ?? false)}
      inverse={inverse ?? false}
    >
      {text}
    </Text>
  );
}

function LineView({ spans, width, ...look }: Look & { spans: Line; width: number }) {
  return (
    <Text wrap="truncate-end">
      {truncateLine(spans, width).map((each, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: spans have no identity but their place
        <SpanView key={i} {...each} {...look} />
      ))}
      {spans.length === 0 ? ' ' : ''}
    </Text>
  );
}

function Lines({ lines, width, ...look }: Look & { lines: Line[]; width: number }) {
  return lines.map((spans, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity but their place
    <LineView key={i} spans={spans} width={width} {...look} />
  ));
}

function titleLine({ title, info, focused }: PanelFrame, width: number): Line {
  const name = span(`${focused ? '▶' : '─'} ${title} `, { bold: true, inverse: focused });
  const tail = info === '' ? '' : ` ${info} ─`;
  const rule = '─'.repeat(Math.max(0, width - textWidth(name.text) - textWidth(tail)));
  return [name, span(rule + tail, { dim: true })];
}

function Panel({ panel, width, ...look }: Look & { panel: PanelFrame; width: number }) {
  return (
    <Box flexDirection="column" height={panel.height} width={width}>
      <LineView spans={titleLine(panel, width)} width={width} {...look} />
      <Lines lines={panel.lines} width={width} {...look} />
    </Box>
  );
}

/** The whole screen. */
export function App({ frame, colors }: Look & { frame: Frame }) {
  const { columns, rows, stale, header, bands, body, dialog, footer } = frame;
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      <Lines lines={header} width={columns} colors={colors} />
      <Box flexDirection="column" flexGrow={1}>
        {bands.map(({ height, stacks }) => (
          <Box key={stacks[0]?.panels[0]?.id ?? ''} height={height} gap={GUTTER}>
            {stacks.map(({ width, panels }) => (
              <Box key={panels[0]?.id ?? ''} flexDirection="column" width={width}>
                {panels.map((panel) => (
                  <Panel key={panel.id} panel={panel} width={width} colors={colors} stale={stale} />
                ))}
              </Box>
            ))}
          </Box>
        ))}
        <Lines lines={body} width={columns} colors={colors} />
      </Box>
      <Lines lines={dialog} width={columns} colors={colors} />
      <LineView spans={footer} width={columns} colors={colors} />
    </Box>
  );
}
