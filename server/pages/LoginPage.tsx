/** The page that asks for the token. */
import { renderBare } from "./document.tsx";
import type { LoginPage } from "./model.ts";

/** Draws the login page. */
export function renderLogin(page: LoginPage): string {
  return renderBare(
    page.assets,
    "Sign in",
    <form class="login" method="post" action="/login">
      <h1>Kilter</h1>
      <label class="field">
        Token
        <input
          type="password"
          name="token"
          autocomplete="current-password"
          required
          autofocus
          aria-invalid={page.wrong ? "true" : undefined}
          aria-describedby={page.wrong ? "wrong" : "hint"}
        />
      </label>
      <input type="hidden" name="next" value={page.next} />
      {page.wrong
        ? <p id="wrong" class="fault" role="alert">That is not the token.</p>
        : (
          <p id="hint">
            It is the value of <code>KILTER_TOKEN</code> where the server runs.
          </p>
        )}
      <button type="submit" class="primary">Sign in</button>
    </form>,
  );
}
