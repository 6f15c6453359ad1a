import type { Model } from '../model/model.js';
import type { Command, Ui } from './state.js';

/** What a key led to. */
export interface Outcome {
  ui: Ui;
  command?: Command;
}

/** Who presses a key, and what is there. */
export interface Situation {
  ui: Ui;
  /** What is shown, frozen or not. */
  model: Model;
  /** Rows of the focused panel on the screen: how far a page goes. */
  page: number;
  /** How far the help can be scrolled. */
  helpEnd: number;
}
