// Fetches the desk's signed time, so that it can tell a person from a program that fills in forms in a blink. Without it, or
// when the desk cannot be reached, the form is taken as it is.
(async () => {
  const here = document.currentScript.src;
  const form = document.getElementById("enquiry");
  if (!form) return;
  try {
    const { token, altcha } = await (await fetch(new URL("token", form.action.replace(/\/$/, "")))).json();
    // A draft has brought back the one that it was begun with.
    form.elements.token.value ||= token;
    // The desk asks for a proof of work: ours, unless ALTCHA's widget does it.
    if (altcha && !form.querySelector("altcha-widget")) {
      const script = document.createElement("script");
      script.src = new URL("proof.js", here);
      document.head.append(script);
    }
  } catch { /* It says nothing, and is believed less. */ }
})();
