/** `strake kubelet` on the CRI of the real containerd. */
import { realContainerd } from '../kubelet/kubelet-world.ts';
import { playPodSteps } from '../kubelet/play.ts';
import { podSteps } from '../kubelet/pod-steps.ts';

playPodSteps(realContainerd, podSteps);
