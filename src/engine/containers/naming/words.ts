/** Our own lists: things of ships and weather, and people who changed how we sail, measure or compute. */
export const adjectives: readonly string[] = (
  'amber ample aqua bold brave breezy bright brisk calm candid clear coastal copper coral crisp dapper daring deft eager early easy ebullient ' +
  'faithful fathomless fearless fleet fluent fond frank fresh gallant gentle gleaming golden graceful grand hale handy happy hardy hearty helpful ' +
  'honest hopeful humble jaunty jolly keen kind lively loyal lucid lucky lunar mellow merry mighty misty modest native nautical neat nimble noble ' +
  'northern oaken patient placid plucky polished proud prudent quick quiet ready robust rosy rugged seaworthy serene sharp silver sleek smooth snug ' +
  'solid spirited sprightly stable starry steady sterling stout sturdy sunny supple swift tender tidal tidy tranquil trim true trusty upbeat valiant ' +
  'velvet vivid warm watchful western willing windward wise witty zealous zesty'
).split(' ');

export const surnames: readonly string[] = (
  'abel adleman aitken allen amdahl anning apgar archimedes babbage backus bardeen barents baudin beaufort bering bernoulli blackwell bohr boole ' +
  'borg bose bowditch brahe brunel cabot cantor cartwright cerf chandra chappe chatelet cook copernicus crane curie dalton darwin dias diffie dirac ' +
  'drake dyson eckert edison elcano ericson euclid euler faraday fermat fermi feynman fibonacci floyd flinders foucault franklin galileo galois gama ' +
  'gauss germain goodall gray haddock hahn halley hamilton hamming harrison herschel hilbert hoare hopper hubble hudson hypatia ibnmajid jacquard ' +
  'jeans johnson joule kepler kernighan khwarizmi kilby knuth kovalevskaya lamarr laplace leavitt leibniz liskov lovelace magellan maury maxwell ' +
  'mccarthy meitner mendeleev mercator mirzakhani moore nansen napier newton nightingale noether pascal pasteur perlman planck polo ptolemy ramanujan ' +
  'ritchie ross sammet shackleton shannon somerville stroustrup tasman tesla thompson torvalds turing vespucci volta watt wilkes wright wu yonath zheng'
).split(' ');
