import type { Model } from '../model/model.js';
import type { Command, Said, Ui } from './state.js';

/** The effect of a key. */
export interface Outcome {
  ui: Ui;
  command?: Command;
  /** A notice to show. */
  said?: Said;
}

/** The state in which a key is pressed. */
export interface Situation {
  ui: Ui;
  /** The shown model, frozen or not. */
  model: Model;
  /** The number of visible rows of the focused panel. */
  page: number;
  /** True if the partitions are shown as a map, in numerical order. */
  isMap: boolean;
  /** How far the help can be scrolled. */
  helpEnd: number;
}
