import { describe } from 'bun:test';
import { eventsConformance } from '../conformance.ts';
import { createLocalEventBus } from './event-bus.ts';

describe('local event bus', () => eventsConformance(() => createLocalEventBus()));
