// Proves a little work to the desk (ALTCHA, PBKDF2) in the background, while the form is being filled in. Whatever fails, the
// form is sent without the proof, and the desk takes it all the same.
(() => {
  // Longest time that sending waits for the work.
  const PATIENCE = 1e4;
  const form = document.getElementById("enquiry");
  if (!form || !globalThis.crypto?.subtle) return;

  const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

  const field = document.createElement("input");
  field.type = "hidden";
  field.name = "altcha";
  form.append(field);
  let working;
  let expires = 0;

  const solve = async () => {
    const answer = await fetch(new URL("altcha", form.action.replace(/\/$/, "")));
    const challenge = await answer.json();
    const { algorithm, cost, expiresAt, keyLength, keyPrefix, nonce, salt } = challenge.parameters;
    const way = { name: "PBKDF2", hash: algorithm.replace("PBKDF2/", ""), salt: bytes(salt), iterations: cost };
    const start = bytes(nonce);
    const password = new Uint8Array(start.length + 4);
    password.set(start);
    for (let counter = 0; ; counter += 1) {
      new DataView(password.buffer).setUint32(start.length, counter);
      const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
      const derivedKey = hex(await crypto.subtle.deriveBits(way, key, keyLength * 8));
      if (derivedKey.startsWith(keyPrefix)) {
        expires = expiresAt * 1e3;
        return btoa(JSON.stringify({ challenge, solution: { counter, derivedKey } }));
      }
    }
  };

  const prove = () => {
    field.value = "";
    const mine = solve().then((proof) => { field.value = proof; }, () => {}).then(() => { if (working === mine) working = null; });
    working = mine;
  };

  // A person who is quicker than the work waits for it, but not for long.
  let waited = false;
  addEventListener("submit", (event) => {
    if (event.target !== form || waited) {
      waited = false;
      return;
    }
    if (!working && (!field.value || expires < Date.now())) prove();
    if (!working) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (field.dataset.waiting) return;
    field.dataset.waiting = true;
    const status = document.getElementById("sending");
    if (status) status.textContent = form.dataset.sending;
    // In a task of its own: a form cannot be submitted while its submission is being announced.
    Promise.race([working, new Promise((done) => setTimeout(done, PATIENCE))]).then(() => setTimeout(() => {
      delete field.dataset.waiting;
      working = null;
      waited = true;
      const { submitter } = event;
      form.requestSubmit(submitter?.isConnected ? submitter : null);
    }));
  }, true);

  // A page that comes back from the cache has used up its proof.
  addEventListener("pageshow", ({ persisted }) => persisted && prove());
  prove();
})();
