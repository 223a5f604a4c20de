import { copySteps } from './copy.ts';
import { exchangeSteps } from './exchange.ts';
import { imageSteps } from './images.ts';
import { interactiveSteps } from './interactive.ts';
import { lifecycleSteps } from './lifecycle.ts';
import { listingSteps } from './listing.ts';
import { networkSteps } from './network.ts';
import { portSteps } from './ports.ts';
import { resourceSteps } from './resources.ts';
import { runSteps } from './run.ts';
import { securitySteps } from './security.ts';
import type { Step } from './step.ts';
import { storageSteps } from './storage.ts';

/** The table of steps, by subject. */
export const steps: Readonly<Record<string, readonly Step[]>> = {
  run: runSteps,
  interactive: interactiveSteps,
  lifecycle: lifecycleSteps,
  resources: resourceSteps,
  security: securitySteps,
  storage: storageSteps,
  network: networkSteps,
  ports: portSteps,
  listing: listingSteps,
  images: imageSteps,
  copy: copySteps,
  exchange: exchangeSteps,
};
