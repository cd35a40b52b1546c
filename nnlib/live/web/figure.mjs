// Replays a figure's program and redraws what it moves.
//
// A program (nnlib/live/export.py writes it) holds
//   controls   what the reader can move: {name, kind, value, …}
//   nodes      values, each computed from earlier ones: {op, inputs, shape, …}
//   artists    what moves in the picture: {id: {kind, panel, …}}
//   variants   for each combination of choices, the artists it shows and the nodes that hold their data:
//              [{id: {x: 12, y: 15}, …}]; the last choice changes fastest
//   panels     how data become coordinates: {x: {offset, factor, log, ends}, y: …}
//
// An array is {shape, data}: a Float64Array, last axis fastest; a number has shape []; false and true are 0 and 1.

// ---- operations: the same names as in nnlib/live/export.py ---------------------------------------------------------

const size = (shape) => shape.reduce((product, n) => product * n, 1);

// The strides of an array that lies in memory without gaps: [12, 4, 1] for shape [2, 3, 4].
const stridesOf = (shape) => shape.map((_, axis) => size(shape.slice(axis + 1)));

// Every position that `shape` and `strides` lead to, last axis fastest.
function positions(shape, strides, offset = 0) {
  let found = Int32Array.of(offset);
  shape.forEach((n, axis) => {
    const next = new Int32Array(found.length * n);
    found.forEach((start, i) => {
      for (let j = 0; j < n; j++) next[i * n + j] = start + j * strides[axis];
    });
    found = next;
  });
  return found;
}

function gather(data, places) {
  const result = new Float64Array(places.length);
  for (let i = 0; i < places.length; i++) result[i] = data[places[i]];
  return result;
}

// The strides with which an array is read as if it had the larger `shape`: axes of length 1 stand still.
function broadcastStrides(own, shape) {
  const strides = stridesOf(own);
  const missing = shape.length - own.length;
  return shape.map((_, axis) => (axis < missing || own[axis - missing] === 1 ? 0 : strides[axis - missing]));
}

function elementwise(f) {
  return (inputs, node) => {
    const { shape } = node;
    const count = size(shape);
    const result = new Float64Array(count);
    const [a, b, c] = inputs.map(({ data }) => data);
    if (inputs.every(({ data }) => data.length === count)) {
      if (!b) for (let i = 0; i < count; i++) result[i] = f(a[i]);
      else for (let i = 0; i < count; i++) result[i] = f(a[i], b[i], c?.[i]);
      return result;
    }
    node.places ??= inputs.map((input) => positions(shape, broadcastStrides(input.shape, shape)));
    const [p, q, r] = node.places;
    if (!c) for (let i = 0; i < count; i++) result[i] = f(a[p[i]], b[q[i]]);
    else for (let i = 0; i < count; i++) result[i] = f(a[p[i]], b[q[i]], c[r[i]]);
    return result;
  };
}

// `fold` sees the array's data, where to begin, and the steps from there to all numbers that are made into one.
function reduction(fold) {
  return ([{ shape, data }], node) => {
    const strides = stridesOf(shape);
    const reduced = node.axes;
    const kept = shape.map((_, axis) => axis).filter((axis) => !reduced.includes(axis));
    const walk = (axes) => positions(axes.map((axis) => shape[axis]), axes.map((axis) => strides[axis]));
    node.walks ??= [walk(kept), walk(reduced)];
    const [starts, steps] = node.walks;
    return Float64Array.from(starts, (start) => fold(data, start, steps));
  };
}

const folded = (f, first) => (data, start, steps) => {
  let result = first;
  for (let i = 0; i < steps.length; i++) result = f(result, data[start + steps[i]]);
  return result;
};

// The place of the first number that no other beats; NaN beats all, as in NumPy.
const place = (beats) => (data, start, steps) => {
  let best = 0;
  steps.forEach((step, i) => {
    const [challenger, champion] = [data[start + step], data[start + steps[best]]];
    if (!Number.isNaN(champion) && (Number.isNaN(challenger) || beats(challenger, champion))) best = i;
  });
  return best;
};

// Where the matrices of an array begin, each of `block` numbers, as a stack of results needs them one after the other.
const startsOf = ({ shape }, stack, block) =>
  positions(stack, broadcastStrides(shape.slice(0, -2), stack).map((stride) => stride * block));

function matmul([a, b], { shape }) {
  const [rows, inner] = a.shape.length > 1 ? a.shape.slice(-2) : [1, a.shape[0]];
  const columns = b.shape.length > 1 ? b.shape.at(-1) : 1;
  const stack = shape.slice(0, shape.length - (a.shape.length > 1) - (b.shape.length > 1));
  const [startsA, startsB] = [startsOf(a, stack, rows * inner), startsOf(b, stack, inner * columns)];
  const result = new Float64Array(size(shape));
  let next = 0;
  startsA.forEach((startA, s) => {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++, next++) {
        for (let l = 0; l < inner; l++) {
          result[next] += a.data[startA + i * inner + l] * b.data[startsB[s] + l * columns + j];
        }
      }
    }
  });
  return result;
}

const rowsOf = ({ data }, start, rows, columns) =>
  Array.from({ length: rows }, (_, i) => data.slice(start + i * columns, start + (i + 1) * columns));

// Gaussian elimination with partial pivoting: the rows of a matrix, which may go on with what it is to be solved for,
// become those of a triangle (what is below is left as it is). The result is the sign that the exchanges of rows make.
function eliminate(rows) {
  let sign = 1;
  for (let k = 0; k < rows.length; k++) {
    let largest = k;
    for (let i = k + 1; i < rows.length; i++) if (Math.abs(rows[i][k]) > Math.abs(rows[largest][k])) largest = i;
    if (largest !== k) {
      [rows[k], rows[largest]] = [rows[largest], rows[k]];
      sign = -sign;
    }
    for (let i = k + 1; i < rows.length; i++) {
      const factor = rows[i][k] && rows[i][k] / rows[k][k]; // not 0/0, where a matrix is singular
      for (let j = k + 1; j < rows[k].length; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  return sign;
}

function solve([A, b], { shape }) {
  const n = A.shape.at(-1);
  const [columns, stack] = b.shape.length > 1 ? [b.shape.at(-1), shape.slice(0, -2)] : [1, shape.slice(0, -1)];
  const startsB = startsOf(b, stack, n * columns);
  const result = new Float64Array(size(shape));
  startsOf(A, stack, n * n).forEach((start, s) => {
    const right = rowsOf(b, startsB[s], n, columns);
    const rows = rowsOf(A, start, n, n).map((row, i) => [...row, ...right[i]]);
    eliminate(rows);
    for (let i = n - 1; i >= 0; i--) {
      for (let column = n; column < n + columns; column++) {
        for (let j = i + 1; j < n; j++) rows[i][column] -= rows[i][j] * rows[j][column];
        rows[i][column] /= rows[i][i];
      }
    }
    result.set(rows.flatMap((row) => row.slice(n)), s * n * columns);
  });
  return result;
}

// Of determinants the sign (part 0) or the logarithm of the absolute value (part 1).
function slogdet([A], { shape, part }) {
  const n = A.shape.at(-1);
  return Float64Array.from(startsOf(A, shape, n * n), (start) => {
    const rows = rowsOf(A, start, n, n);
    const sign = eliminate(rows);
    if (part === 0) return rows.reduce((product, row, i) => product * Math.sign(row[i]), sign);
    return rows.reduce((sum, row, i) => sum + Math.log(Math.abs(row[i])), 0);
  });
}

// Where along an axis the smallest number is, the next, …; of equal ones the first comes first, and NaN last.
function argsort([{ shape, data }], { axes: [axis] }) {
  const strides = stridesOf(shape);
  const result = new Float64Array(data.length);
  for (const start of positions(shape.with(axis, 1), strides)) {
    const places = Int32Array.from({ length: shape[axis] }, (_, i) => start + i * strides[axis]);
    const order = (i, j) => {
      const [a, b] = [data[places[i]], data[places[j]]];
      return a < b ? -1 : a > b ? 1 : Number.isNaN(a) - Number.isNaN(b);
    };
    [...places.keys()].sort(order).forEach((which, i) => (result[places[i]] = which));
  }
  return result;
}

function cumsum([{ shape, data }], { axes }) {
  const result = data.slice();
  if (axes.length > 1) {
    for (let i = 1; i < data.length; i++) result[i] += result[i - 1];
  } else if (axes.length) {
    const step = stridesOf(shape)[axes[0]];
    for (let i = 0; i < data.length; i++) if (Math.floor(i / step) % shape[axes[0]]) result[i] += result[i - step];
  }
  return result;
}

function linspace([{ data: [first] }, { data: [last] }], { shape: [count] }) {
  return Float64Array.from({ length: count }, (_, i) =>
    i && i === count - 1 ? last : first + i * ((last - first) / (count - 1 || 1)),
  );
}

function interp([x, { data: xs }, { data: ys }]) {
  const top = xs.length - 1;
  return x.data.map((at) => {
    if (at <= xs[0] || at >= xs[top]) return at <= xs[0] ? ys[0] : ys[top];
    const i = xs.findLastIndex((known) => known <= at);
    return i < 0 ? NaN : ((ys[i + 1] - ys[i]) / (xs[i + 1] - xs[i])) * (at - xs[i]) + ys[i];
  });
}

function roundHalfEven(a) {
  const below = Math.floor(a);
  return a - below === 0.5 ? 2 * Math.round(below / 2) : Math.round(a);
}

// What `%` leaves has the sign of a; NumPy's remainder and floor division go by the sign of b. 1 // 0.1 is 9: 0.1 is above ⅒.
const opposite = (rest, b) => rest !== 0 && rest < 0 !== b < 0;

function floorDivide(a, b) {
  const rest = a % b;
  return b === 0 ? a / b : Math.round((a - rest) / b) - opposite(rest, b);
}

export const operations = {
  constant: (_, { shape, values, linspace: ends }) =>
    ends ? linspace(ends.map((end) => ({ data: [Number(end)] })), { shape }) : Float64Array.from(values, Number),
  view: ([{ data }], node) => gather(data, (node.places ??= positions(node.shape, node.strides, node.offset))),
  take: ([{ data }, moving], { indices }) => (moving ? moving.data.map((i) => data.at(i)) : gather(data, indices)),
  join: (inputs) => Float64Array.from(inputs.flatMap(({ data }) => [...data])),

  add: elementwise((a, b) => a + b),
  subtract: elementwise((a, b) => a - b),
  multiply: elementwise((a, b) => a * b),
  divide: elementwise((a, b) => a / b),
  floor_divide: elementwise(floorDivide),
  remainder: elementwise((a, b) => (opposite(a % b, b) ? (a % b) + b : a % b)),
  power: elementwise((a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b)), // 1 ** NaN is 1 in NumPy
  arctan2: elementwise(Math.atan2),
  hypot: elementwise((a, b) => Math.hypot(a, b)),
  maximum: elementwise((a, b) => Math.max(a, b)),
  minimum: elementwise((a, b) => Math.min(a, b)),
  negative: elementwise((a) => -a),
  absolute: elementwise(Math.abs),
  sign: elementwise(Math.sign),
  square: elementwise((a) => a * a),
  sqrt: elementwise(Math.sqrt),
  cbrt: elementwise(Math.cbrt),
  reciprocal: elementwise((a) => 1 / a),
  exp: elementwise(Math.exp),
  exp2: elementwise((a) => 2 ** a),
  expm1: elementwise(Math.expm1),
  log: elementwise(Math.log),
  log2: elementwise(Math.log2),
  log10: elementwise(Math.log10),
  log1p: elementwise(Math.log1p),
  sin: elementwise(Math.sin),
  cos: elementwise(Math.cos),
  tan: elementwise(Math.tan),
  arcsin: elementwise(Math.asin),
  arccos: elementwise(Math.acos),
  arctan: elementwise(Math.atan),
  sinh: elementwise(Math.sinh),
  cosh: elementwise(Math.cosh),
  tanh: elementwise(Math.tanh),
  arcsinh: elementwise(Math.asinh),
  arccosh: elementwise(Math.acosh),
  arctanh: elementwise(Math.atanh),
  floor: elementwise(Math.floor),
  ceil: elementwise(Math.ceil),
  rint: elementwise(roundHalfEven),
  trunc: elementwise(Math.trunc),
  isnan: elementwise((a) => Number.isNaN(a)),
  isfinite: elementwise((a) => Number.isFinite(a)),
  less: elementwise((a, b) => a < b),
  less_equal: elementwise((a, b) => a <= b),
  greater: elementwise((a, b) => a > b),
  greater_equal: elementwise((a, b) => a >= b),
  equal: elementwise((a, b) => a === b),
  not_equal: elementwise((a, b) => a !== b),
  logical_and: elementwise((a, b) => a !== 0 && b !== 0),
  logical_or: elementwise((a, b) => a !== 0 || b !== 0),
  logical_xor: elementwise((a, b) => (a !== 0) !== (b !== 0)),
  logical_not: elementwise((a) => a === 0),
  where: elementwise((condition, a, b) => (condition !== 0 ? a : b)),

  sum: reduction(folded((a, b) => a + b, 0)),
  prod: reduction(folded((a, b) => a * b, 1)),
  max: reduction(folded((a, b) => Math.max(a, b), -Infinity)),
  min: reduction(folded((a, b) => Math.min(a, b), Infinity)),
  argmax: reduction(place((a, b) => a > b)),
  argmin: reduction(place((a, b) => a < b)),
  cumsum,
  argsort,
  matmul,
  solve,
  slogdet,
  interp,
  linspace,
};

// Compute the nodes at these positions, and what they need, with the sliders at `settings`; constants only once.
function replay({ nodes }, order, settings) {
  const values = [];
  for (const i of order) {
    const node = nodes[i];
    if (node.op === "slider") {
      values[i] = { shape: [], data: [settings[node.name]] };
    } else if (node.op === "constant") {
      values[i] = node.value ??= { shape: node.shape, data: operations.constant([], node) };
    } else {
      const inputs = node.inputs.map((input) => values[input]);
      values[i] = { shape: node.shape, data: operations[node.op](inputs, node) };
    }
  }
  return values;
}

// All nodes that the channels of a variant need, parents first.
function orderOf({ nodes }, variant) {
  const needed = new Set();
  const visit = (part) => {
    if (typeof part === "number") {
      if (needed.has(part)) return;
      needed.add(part);
      (nodes[part].inputs ?? []).forEach(visit);
    } else if (typeof part === "object") Object.values(part).forEach(visit);
  };
  visit(variant);
  return [...needed].sort((a, b) => a - b);
}

// ---- numbers as text: as Python's format() writes them, with a proper minus sign ------------------------------------

// toFixed and toExponential round a number that lies exactly between two others away from zero, Python to the even one.
const isTie = (number, places) =>
  places < 0 ? number % 10 ** -places === 10 ** -places / 2 : (number * 2 ** (places + 1)) % 2 === 1;
const toEven = (text) => text.replace(/^([\d.]*)([13579])(?=e|$)/, (_, digits, last) => digits + (last - 1));

function fixed(number, places) {
  const text = number.toFixed(places);
  return isTie(number, places) ? toEven(text) : text;
}

function exponential(number, places) {
  const text = number.toExponential(places);
  const exponent = Number(text.split("e")[1]);
  return (isTie(number, places - exponent) ? toEven(text) : text).replace(/e([+-])(\d)$/, "e$10$2");
}

function general(number, digits) {
  const precision = digits || 1;
  const text = exponential(number, precision - 1);
  const exponent = Number(text.split("e")[1]);
  const shown = exponent < -4 || exponent >= precision ? text : fixed(number, precision - 1 - exponent);
  return shown.replace(/(?<=\.\d*)0+(?=e|$)/, "").replace(/\.(?=e|$)/, "");
}

export function format(value, specification) {
  const [, sign, zero, comma, digits = 6, type] = /^([+ ]?)(z?)(,?)(?:\.(\d+))?([feg%])$/.exec(specification);
  const number = Math.abs(type === "%" ? value * 100 : value);
  let text = Number.isNaN(value) ? "nan" : "inf";
  if (Number.isFinite(value)) text = ({ e: exponential, g: general }[type] ?? fixed)(number, Number(digits));
  if (comma) text = text.replace(/(?<![.e].*)\d(?=(\d{3})+(?!\d))/g, "$&,");
  const negative = (value < 0 || Object.is(value, -0)) && !(zero && /^[0.]+(e|$)/.test(text));
  return (negative ? "\u2212" : sign) + text.replace("-", "\u2212") + (type === "%" ? "%" : "");
}

// A text that holds numbers: ["slope: ", {value, format}, …].
const written = (text) => text.map((part) => (typeof part === "string" ? part : format(part.value.data[0], part.format))).join("");

// ---- drawing -------------------------------------------------------------------------------------------------------

function scale({ offset, factor, log }) {
  return log ? (value) => offset + factor * Math.log10(value) : (value) => offset + factor * value;
}

const round = (number) => Math.round(number * 100) / 100;

// "M x y L x y …" in coordinates; a point that is not a number lifts the pen.
function path(xs, ys) {
  let text = "";
  let pen = "M";
  xs.forEach((x, i) => {
    if (Number.isFinite(x) && Number.isFinite(ys[i])) {
      text += `${pen}${round(x)} ${round(ys[i])}`;
      pen = "L";
    } else pen = "M";
  });
  return text;
}

const at = (array, i) => array.data[array.data.length === 1 ? 0 : i];

// 1024 colours between the given ones, each as the four bytes of a pixel in one number.
function paletteOf(colours) {
  const bytes = new Uint8ClampedArray(4 * 1024);
  for (let i = 0; i < 1024; i++) {
    const position = (i / 1023) * (colours.length - 1);
    const below = Math.min(Math.floor(position), colours.length - 2);
    for (let channel = 0; channel < 4; channel++) {
      const [a, b] = [colours[below][channel], colours[below + 1][channel]];
      bytes[4 * i + channel] = a + (b - a) * (position - below);
    }
  }
  return new Uint32Array(bytes.buffer);
}

// One function a kind of artist: (SVG elements of the artist, its data, its panel's scales, what else is known of it).
const draw = {
  line([group], { x, y }, panel) {
    const xs = [...x.data].map(panel.x);
    const ys = [...y.data].map(panel.y);
    group.querySelector(":scope > path")?.setAttribute("d", path(xs, ys));
    const marks = group.querySelectorAll("use");
    if (!marks.length) return;
    const parent = marks[0].parentNode;
    for (let i = 0; i < Math.max(xs.length, marks.length); i++) {
      const mark = marks[i] ?? parent.appendChild(marks[0].cloneNode());
      const seen = Number.isFinite(xs[i]) && Number.isFinite(ys[i]);
      mark.setAttribute("visibility", seen ? "visible" : "hidden");
      if (seen) {
        mark.setAttribute("x", round(xs[i]));
        mark.setAttribute("y", round(ys[i]));
      }
    }
  },

  area([group], { x, y1, y2 }, panel) {
    const xs = [...x.data].map(panel.x);
    const upper = [...y1.data].map(panel.y);
    const lower = [...y2.data].map(panel.y);
    group.querySelector("path").setAttribute("d", `${path([...xs, ...xs.toReversed()], [...upper, ...lower.toReversed()])}z`);
  },

  bars(groups, { x, height, width, bottom }, panel) {
    groups.forEach((group, i) => {
      const [left, right] = [-0.5, 0.5].map((side) => panel.x(at(x, i) + side * at(width, i)));
      const [low, high] = [panel.y(at(bottom, i)), panel.y(at(bottom, i) + at(height, i))];
      group.querySelector("path").setAttribute("d", `${path([left, right, right, left], [low, low, high, high])}z`);
    });
  },

  arrows([group], { x, y, u, v }, panel) {
    const shapes = Array.from(x.data, (_, i) => {
      const [tailX, tailY] = [panel.x(x.data[i]), panel.y(y.data[i])];
      const [tipX, tipY] = [panel.x(x.data[i] + u.data[i]), panel.y(y.data[i] + v.data[i])];
      const length = Math.hypot(tipX - tailX, tipY - tailY);
      const [alongX, alongY] = length ? [(tipX - tailX) / length, (tipY - tailY) / length] : [0, 0];
      const head = Math.min(8, length / 2);
      const side = 0.45 * head;
      const [backX, backY] = [tipX - head * alongX, tipY - head * alongY];
      return (
        path([tailX, tipX], [tailY, tipY]) +
        path([backX - side * alongY, tipX, backX + side * alongY], [backY + side * alongX, tipY, backY - side * alongX])
      );
    });
    group.querySelector("path").setAttribute("d", shapes.join(""));
  },

  vline([group], { x }, panel) {
    const [low, high] = panel.ends.y;
    group.querySelector("path").setAttribute("d", path([panel.x(x.data[0]), panel.x(x.data[0])], [low, high]));
  },

  hline([group], { y }, panel) {
    const [left, right] = panel.ends.x;
    group.querySelector("path").setAttribute("d", path([left, right], [panel.y(y.data[0]), panel.y(y.data[0])]));
  },

  text([group], { text, x, y }, panel, { from }) {
    const element = group.querySelector("text");
    element.textContent = written(text);
    if (!x) return;
    const [left, top] = [panel.x(x.data[0]) + from.x, panel.y(y.data[0]) + from.y];
    const seen = Number.isFinite(left) && Number.isFinite(top);
    element.setAttribute("visibility", seen ? "visible" : "hidden");
    element.removeAttribute("transform");
    element.setAttribute("x", seen ? round(left) : 0);
    element.setAttribute("y", seen ? round(top) : 0);
  },

  image([element], { z }, panel, artist) {
    const [rows, columns] = z.shape;
    const { low, high, extent, upward } = artist;
    artist.palette ??= paletteOf(artist.colours);
    artist.pixels ??= new ImageData(columns, rows);
    artist.canvas ??= Object.assign(document.createElement("canvas"), { width: columns, height: rows });
    const colours = new Uint32Array(artist.pixels.data.buffer);
    const last = artist.palette.length - 1;
    for (let row = 0; row < rows; row++) {
      const start = (upward ? rows - 1 - row : row) * columns;
      for (let column = 0; column < columns; column++) {
        const share = Math.min(Math.max((z.data[start + column] - low) / (high - low), 0), 1);
        colours[row * columns + column] = artist.palette[Math.round(share * last)]; // NaN finds nothing: transparent
      }
    }
    artist.canvas.getContext("2d", { willReadFrequently: true }).putImageData(artist.pixels, 0, 0);
    const image = element.matches("image") ? element : element.querySelector("image");
    const [left, right, bottom, top] = [panel.x(extent[0]), panel.x(extent[1]), panel.y(extent[2]), panel.y(extent[3])];
    image.removeAttribute("transform");
    const attributes = { x: left, y: top, width: right - left, height: bottom - top, preserveAspectRatio: "none", href: artist.canvas.toDataURL() };
    for (const [name, value] of Object.entries(attributes)) image.setAttribute(name, value);
  },
};

// ---- in words: for readers who do not see the picture --------------------------------------------------------------

const PAUSE = 600; // milliseconds without a change after which a change is announced

// A control with its value: "w: 1.2", "f: tanh", "grid: on".
function setting({ kind, label, decimals, options }, value) {
  if (kind === "slider") return `${label}: ${format(value, `.${decimals}f`)}`;
  return `${label}: ${kind === "choice" ? options[value] : value ? "on" : "off"}`;
}

// What the changing texts of the picture say. A number that stands alone says nothing without a label; words that only
// move with what they stand beside say nothing new.
function sayings({ artists }, shown) {
  const texts = Object.entries(artists).filter(([id, { kind }]) => kind === "text" && id in shown);
  return texts.flatMap(([id, { label }]) => {
    const { text, x } = shown[id];
    if (label) return `${label}: ${written(text)}`;
    const changes = text.length > 1 || !x;
    return changes && /\p{L}/u.test(text.filter((part) => typeof part === "string").join("")) ? written(text) : [];
  });
}

// Lets the alternative of the picture within `root` go on with the present state, and the status beside it announce,
// after a pause, what has changed.
function narrator(root, program) {
  const picture = root.querySelector(".live-picture");
  if (!picture) return { describe() {}, announce() {} }; // only the numbers of the figure are asked for
  const status = root.querySelector(".live-status");
  const alternative = picture.getAttribute("aria-label");
  let [before, timer] = [[], 0];

  function describe(settings, shown) {
    const present = [...program.controls.map((control) => setting(control, settings[control.name])), ...sayings(program, shown)];
    picture.setAttribute("aria-label", `${alternative} Now ${present.join("; ")}.`);
    const news = present.filter((statement) => !before.includes(statement));
    before = present;
    return news;
  }

  function announce(settings, shown) {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const news = describe(settings, shown);
      if (news.length) status.textContent = `${news.join("; ")}.`;
    }, PAUSE);
  }

  return { describe, announce };
}

// ---- a figure ------------------------------------------------------------------------------------------------------

// Channels of an artist with the values in place of the positions of nodes.
function fill(channels, values) {
  if (typeof channels === "number") return values[channels];
  if (typeof channels === "string") return channels;
  if (Array.isArray(channels)) return channels.map((part) => fill(part, values));
  return Object.fromEntries(Object.entries(channels).map(([name, part]) => [name, name === "format" ? part : fill(part, values)]));
}

// Bring the still picture within `root` to life. `update` redraws it for a {name: value} of all controls.
export function start(root, program) {
  const panels = program.panels.map(({ x, y }) => ({ x: scale(x), y: scale(y), ends: { x: x.ends, y: y.ends } }));
  const orders = program.variants.map((variant) => orderOf(program, variant));
  const choices = program.controls.filter(({ kind }) => kind !== "slider");
  const defaults = Object.fromEntries(program.controls.map(({ name, value }) => [name, value]));

  const variantOf = (settings) =>
    choices.reduce((index, { name, options }) => index * (options?.length ?? 2) + Number(settings[name]), 0);

  const data = (settings, index = variantOf(settings)) =>
    fill(program.variants[index], replay(program, orders[index], settings));

  const elements = {};
  for (const [id, { parts }] of Object.entries(program.artists)) {
    const ids = parts === 1 ? [id] : Array.from({ length: parts }, (_, i) => `${id}-${i}`);
    elements[id] = ids.map((part) => root.querySelector(`[id="${part}"]`));
  }

  const stills = [];
  const still = (index) => (stills[index] ??= data(defaults, index));

  // A text keeps its distance from the point it belongs to, as the still has it.
  for (const [id, artist] of Object.entries(program.artists)) {
    if (artist.kind !== "text") continue;
    const shown = [variantOf(defaults), ...program.variants.keys()].find((index) => id in program.variants[index]);
    const { x, y } = still(shown)[id];
    const start = artist.start ?? { x: x?.data[0], y: y?.data[0] };
    const text = elements[id][0].querySelector("text");
    if (x) {
      const panel = panels[artist.panel];
      artist.from = { x: Number(text.getAttribute("x")) - panel.x(start.x), y: Number(text.getAttribute("y")) - panel.y(start.y) };
    }
  }

  const { describe, announce } = narrator(root, program);
  describe(defaults, still(variantOf(defaults)));

  function update(settings) {
    const shown = data(settings);
    for (const [id, artist] of Object.entries(program.artists)) {
      for (const element of elements[id]) element.setAttribute("display", id in shown ? "inline" : "none");
      if (id in shown) draw[artist.kind]?.(elements[id], shown[id], panels[artist.panel], artist);
    }
    announce(settings, shown);
  }

  return { data, update };
}

// ---- in Jupyter: anywidget calls this ------------------------------------------------------------------------------

function render({ model, el }) {
  const program = model.get("program");
  el.classList.add("live");
  const picture = el.appendChild(document.createElement("div"));
  picture.className = "live-picture";
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", model.get("alt"));
  picture.innerHTML = model.get("svgs").map((svg) => `<div class="live-panel">${svg}</div>`).join("");
  const status = el.appendChild(document.createElement("p"));
  status.className = "live-status";
  status.setAttribute("role", "status");
  const figure = start(el, program);
  const update = () =>
    figure.update(Object.fromEntries(program.controls.map(({ name }) => [name, Number(model.get(`control_${name}`))])));
  for (const { name } of program.controls) model.on(`change:control_${name}`, update);
  update();
}

export default { render };
