import { messageOf } from '../../core/errors.js';
import { signalMember } from '../local-process.js';
import { startConsumer } from '../start-consumer.js';
import type { Command, Notice } from './state.js';

/** What carrying out a command may need. */
export interface Performer {
  setInterval: (ms: number) => void;
  /** The environment of consumers that are started: the settings of this screen are in it. */
  env: NodeJS.ProcessEnv;
}

/** Carries out what was ordered and confirmed, and says what came of it. */
export async function perform(
  command: Command,
  performer: Performer,
): Promise<Omit<Notice, 'at'> | undefined> {
  switch (command.type) {
    case 'interval':
      performer.setInterval(command.ms);
      return undefined;
    case 'signal': {
      const { target, signal } = command;
      const refusal = await signalMember(target, signal);
      if (refusal !== undefined)
        return { text: `${target.name} was not signalled: ${refusal}.`, level: 'error' };
      const sent = signal === 'SIGTERM' ? 'Asked' : 'Killed';
      const rest = signal === 'SIGTERM' ? ' to leave' : '';
      return { text: `${sent} ${target.name} (pid ${target.pid})${rest}.`, level: 'info' };
    }
    case 'start-consumer':
      try {
        const { pid, logFile } = await startConsumer(performer.env);
        return { text: `Started a consumer, pid ${pid}. Its log: ${logFile}`, level: 'info' };
      } catch (error) {
        return { text: `No consumer was started: ${messageOf(error)}.`, level: 'error' };
      }
    default:
      return undefined;
  }
}
