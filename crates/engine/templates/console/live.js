// Looks for news every few seconds, and puts it in the place of the regions that are marked with `data-live`; they are on the
// page also while they are empty. Where somebody types, is about to press something, has opened something, or has selected
// text, the region stays as it is.
"use strict";

const EVERY_MS = 3000;

const isInUse = (region) =>
  region.contains(document.activeElement) ||
  region.querySelector("details[open], form:hover") !== null ||
  (getSelection().type === "Range" && getSelection().containsNode(region, true));

const look = async () => {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { "X-Looks-Again": "1" } });
  // The session has ended: the form to log in comes when the person does something.
  if (!answer.ok) return;
  const news = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const region of document.querySelectorAll("[data-live]")) {
    const next = news.getElementById(region.id);
    if (next !== null && next.innerHTML !== region.innerHTML && !isInUse(region)) region.replaceWith(next);
  }
};

const lookAgain = () => setTimeout(() => look().catch(() => {}).finally(lookAgain), EVERY_MS);
lookAgain();

// Browsers let a page copy where it came by HTTPS, or from this machine.
for (const button of navigator.clipboard ? document.querySelectorAll("[data-copies]") : []) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
    button.textContent = "Copied";
  });
}
