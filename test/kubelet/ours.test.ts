/** `strake kubelet` on `strake cri`. */
import { ours } from './kubelet-world.ts';
import { playPodSteps } from './play.ts';
import { lostSandbox, podSteps } from './pod-steps.ts';

playPodSteps(ours, [...podSteps, lostSandbox]);
