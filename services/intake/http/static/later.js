/** The code for continuing: out of the address into its field. */

import "./keep.js";

const code = decodeURIComponent(location.hash.slice(1));
const field = /** @type {HTMLInputElement | null} */ (document.getElementById("code"));

if (field && /^[0-9A-Za-z-]{20,}$/.test(code)) {
  field.value = code;
  history.replaceState(null, "", location.pathname + location.search); // others may read the history
}
