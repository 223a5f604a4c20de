/** `STEP: WHAT` that another CRI shows otherwise than containerd 2.1, and why. */
export const differences: Readonly<Record<string, string>> = {};
