// The console's policy forbids evaluated text, and unfold's pages hold small expressions that Alpine would evaluate. This
// reads them instead, with Alpine's own hook for it (setEvaluator): names, members, calls, operators, assignments,
// objects, lists, `if` and `;`. Anything else is an error in the browser's journal, and tests/browser/test_operator.py
// fails on it.
(() => {
  const WORDS = { true: true, false: false, null: null, undefined: undefined };
  const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|([A-Za-z_$][\w$]*)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(===|!==|==|!=|<=|>=|&&|\|\||[-+*/%!<>=?:.,;()[\]{}]))/y;
  const LEVELS = [["||"], ["&&"], ["==", "!=", "===", "!=="], ["<", ">", "<=", ">="], ["+", "-"], ["*", "/", "%"]];
  const OPERATE = {
    "==": (a, b) => a == b, "!=": (a, b) => a != b, "===": (a, b) => a === b, "!==": (a, b) => a !== b,
    "<": (a, b) => a < b, ">": (a, b) => a > b, "<=": (a, b) => a <= b, ">=": (a, b) => a >= b,
    "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b, "%": (a, b) => a % b,
  };

  function tokens(source) {
    const found = [];
    TOKEN.lastIndex = 0;
    while (source.slice(TOKEN.lastIndex).trim()) {
      const match = TOKEN.exec(source);
      if (!match) throw new SyntaxError(`not an expression of the console: ${source}`);
      const [, number, name, single, double, sign] = match;
      if (number !== undefined) found.push({ value: Number(number) });
      else if (name !== undefined) found.push({ name });
      else if (sign !== undefined) found.push({ sign });
      else found.push({ value: (single ?? double).replace(/\\(.)/g, "$1") });
    }
    return found;
  }

  // Each rule answers a function of the names in scope; a place to assign to has `set` beside it.
  function parse(source) {
    const list = tokens(source);
    let at = 0;
    const next = (sign) => list[at]?.sign === sign;
    const take = (sign) => next(sign) && ++at > 0;
    const need = (sign) => {
      if (!take(sign)) throw new SyntaxError(`« ${sign} » is missing in: ${source}`);
    };

    function program(end) {
      const steps = [];
      while (at < list.length && !(end && next(end))) {
        if (take(";")) continue;
        steps.push(statement());
      }
      return (names) => steps.reduce((_last, step) => step(names), undefined);
    }

    function statement() {
      if (take("{")) {
        const inside = program("}");
        need("}");
        return inside;
      }
      if (list[at]?.name !== "if") return expression();
      at += 1;
      need("(");
      const test = expression();
      need(")");
      const then = statement();
      take(";");
      const otherwise = list[at]?.name === "else" && ++at ? statement() : () => undefined;
      return (names) => (test(names) ? then(names) : otherwise(names));
    }

    function expression() {
      const left = choice();
      if (!take("=")) return left;
      if (!left.set) throw new SyntaxError(`nothing to assign to in: ${source}`);
      const right = expression();
      return (names) => left.set(names, right(names));
    }

    function choice() {
      const test = binary(0);
      if (!take("?")) return test;
      const then = expression();
      need(":");
      const otherwise = expression();
      return (names) => (test(names) ? then(names) : otherwise(names));
    }

    function binary(level) {
      if (level === LEVELS.length) return unary();
      let left = binary(level + 1);
      while (LEVELS[level].includes(list[at]?.sign)) {
        const { sign } = list[at++];
        const [first, second] = [left, binary(level + 1)];
        if (sign === "&&") left = (names) => first(names) && second(names);
        else if (sign === "||") left = (names) => first(names) || second(names);
        else left = (names) => OPERATE[sign](first(names), second(names));
      }
      return left;
    }

    function unary() {
      if (take("!")) {
        const inner = unary();
        return (names) => !inner(names);
      }
      if (take("-")) {
        const inner = unary();
        return (names) => -inner(names);
      }
      return postfix(primary());
    }

    function postfix(object) {
      if (take(".")) {
        const { name } = list[at++];
        return postfix(member(object, () => name));
      }
      if (take("[")) {
        const key = expression();
        need("]");
        return postfix(member(object, key));
      }
      if (take("(")) {
        const given = items(")");
        return postfix((names) => {
          const values = given.map((one) => one(names));
          return object.of ? object.call(names, values) : object(names)(...values);
        });
      }
      return object;
    }

    function member(object, key) {
      const read = (names) => object(names)[key(names)];
      read.of = object;
      read.call = (names, values) => {
        const owner = object(names);
        return owner[key(names)](...values);
      };
      read.set = (names, value) => (object(names)[key(names)] = value);
      return read;
    }

    function items(end) {
      const found = [];
      while (!take(end)) {
        found.push(expression());
        if (!next(end)) need(",");
      }
      return found;
    }

    function primary() {
      const token = list[at++];
      if (token === undefined) throw new SyntaxError(`something is missing in: ${source}`);
      if ("value" in token) return () => token.value;
      if (token.sign === "(") {
        const inner = expression();
        need(")");
        return inner;
      }
      if (token.sign === "[") {
        const parts = items("]");
        return (names) => parts.map((part) => part(names));
      }
      if (token.sign === "{") return object();
      if (token.name === undefined) throw new SyntaxError(`not an expression of the console: ${source}`);
      return named(token.name);
    }

    function object() {
      const pairs = [];
      while (!take("}")) {
        const key = list[at++];
        need(":");
        pairs.push([key.name ?? key.value, expression()]);
        if (!next("}")) need(",");
      }
      return (names) => Object.fromEntries(pairs.map(([key, value]) => [key, value(names)]));
    }

    function named(name) {
      if (name in WORDS) return () => WORDS[name];
      const read = (names) => names[name];
      read.of = true;
      read.call = (names, values) => names[name](...values);
      read.set = (names, value) => (names[name] = value);
      return read;
    }

    // An object of names begins with a brace, as a block would: Alpine's attributes never begin with a block.
    if (!next("{")) return program();
    const whole = expression();
    if (at < list.length) throw new SyntaxError(`too much in: ${source}`);
    return whole;
  }

  document.addEventListener("alpine:init", () => {
    const known = new Map();
    window.Alpine.setEvaluator((element, expression) => (receive = () => {}, { scope = {}, params = [] } = {}) => {
      const names = window.Alpine.mergeProxies([scope, ...window.Alpine.closestDataStack(element)]);
      if (typeof expression !== "function" && !known.has(expression)) known.set(expression, parse(expression));
      let result = typeof expression === "function" ? expression.apply(names, params) : known.get(expression)(names);
      if (typeof result === "function") result = result.apply(names, params);
      if (result instanceof Promise) result.then(receive);
      else receive(result);
    });
  });
})();
