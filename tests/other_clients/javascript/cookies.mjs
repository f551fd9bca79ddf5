// A page's document.cookie, as far as js-cookie uses it: reading gives the names and values, writing sets one
// cookie and its attributes, and a date in the past removes it.
export function cookieJar(cookies) {
  const jar = new Map(Object.entries(cookies));
  return {
    querySelector: () => null, // Amplify looks for the marks of front-end frameworks
    querySelectorAll: () => [],
    getElementById: () => null,
    get cookie() {
      return [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    },
    set cookie(written) {
      const [pair, ...attributes] = written.split("; ");
      const [name] = pair.split("=", 1);
      const expires = attributes.find((attribute) => attribute.startsWith("expires="));
      if (expires && Date.parse(expires.slice("expires=".length)) < Date.now()) jar.delete(name);
      else jar.set(name, pair.slice(name.length + 1));
    },
  };
}
