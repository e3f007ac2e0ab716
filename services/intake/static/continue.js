/** Takes the code for continuing out of the address, where the link carries it, and puts it into its field. */

const code = decodeURIComponent(location.hash.slice(1));
const field = /** @type {HTMLInputElement | null} */ (document.getElementById("code"));

if (field && /^[0-9A-Za-z-]{20,}$/.test(code)) {
  field.value = code;
  history.replaceState(null, "", location.pathname + location.search); // the history is for others to read
  field.form?.querySelector("button")?.focus();
}
