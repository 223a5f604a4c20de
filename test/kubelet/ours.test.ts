/** `strake kubelet` on `strake cri`. */
import { ours } from './kubelet-world.ts';
import { playPodSteps } from './play.ts';

playPodSteps(ours);
