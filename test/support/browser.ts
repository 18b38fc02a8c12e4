/** A real Chromium, with a profile of its own. */
import { join } from "node:path";
import { chromium, type BrowserContext } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** `folder` is the test's own: all that the browser writes goes there, and nothing to the user's home. */
export function launchBrowser(folder: string): Promise<BrowserContext> {
  const [config, cache] = [join(folder, "config"), join(folder, "cache")];
  return chromium.launchPersistentContext(join(folder, "profile"), {
    executablePath: "/usr/bin/chromium",
    headless: true,
    args: FLAGS,
    env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: config, XDG_CACHE_HOME: cache },
  });
}
