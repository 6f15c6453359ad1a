interface Watched {
  readonly listeners: Set<() => void>;
  stop(): void;
}

const watched = new WeakMap<AbortSignal, Watched>();

/**
 * Calls `listener` when the signal aborts, until the returned function is called. All listeners of a signal share one event listener. With
 * thousands of event listeners, adding another one is slow; with more than ten, Node warns.
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => {};
  const { listeners, stop } = watched.get(signal) ?? watch(signal);
  listeners.add(listener);
  return () => {
    if (listeners.delete(listener) && listeners.size === 0) stop();
  };
}

function watch(signal: AbortSignal): Watched {
  const listeners = new Set<() => void>();
  const call = (): void => {
    for (const listener of listeners) listener();
  };
  const stop = (): void => {
    signal.removeEventListener('abort', call);
    watched.delete(signal);
  };
  signal.addEventListener('abort', call, { once: true });
  const made = { listeners, stop };
  watched.set(signal, made);
  return made;
}
