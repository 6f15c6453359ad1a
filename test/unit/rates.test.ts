import assert from 'node:assert/strict';
import { HandlerTimes } from '../../src/core/observe/handler-times.js';
import { RateMeter } from '../../src/core/observe/rates.js';
import { message } from '../support/fake-partition.js';
