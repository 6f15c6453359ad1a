/** The common prefix of the names of all readers of a partition under one epoch. */
export const readerNamePrefix = (group: string, partition: number, epoch: number): string =>
  `natspoc-${group}-p${partition}-e${epoch}-`;

/** A reader's name on the server. */
export const readerName = (group: string, partition: number, epoch: number, token: string): string =>
  readerNamePrefix(group, partition, epoch) + token;
