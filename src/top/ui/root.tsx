import { Component, type ReactNode, useState } from 'react';
import type { LineTexts } from '../term/line-texts.js';
import { TableWidths } from '../view/kept-widths.js';
import { Texts } from './line.js';
import { Widths } from './panel.js';
import { Top, type TopProps } from './top.js';

/** Passes errors of components to `crash`. Ink would draw them on a screen that is about to close. */
class Boundary extends Component<{ crash: (error: unknown) => void; children: ReactNode }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override componentDidCatch(error: unknown): void {
    // React is still rendering, so `crash` is called later.
    setImmediate(() => this.props.crash(error));
  }

  override render(): ReactNode {
    return this.state.hasFailed ? null : this.props.children;
  }
}

interface RootProps extends TopProps {
  texts: LineTexts;
  crash: (error: unknown) => void;
}

/** The screen with its providers. */
export function Root({ texts, crash, ...props }: RootProps) {
  const [widths] = useState(() => new TableWidths());
  return (
    <Boundary crash={crash}>
      <Texts value={texts}>
        <Widths value={widths}>
          <Top {...props} />
        </Widths>
      </Texts>
    </Boundary>
  );
}
