// Lets a person see the password they type; without JavaScript the field simply stays hidden.
for (const input of document.querySelectorAll('input[type="password"]')) {
  const row = document.createElement("div");
  row.className = "form-check mt-2";
  const box = document.createElement("input");
  box.type = "checkbox";
  box.id = `${input.id}_show`;
  box.className = "form-check-input";
  const label = document.createElement("label");
  label.htmlFor = box.id;
  label.textContent = document.documentElement.lang === "en" ? "Show the password" : "Montrer le mot de passe";
  box.addEventListener("change", () => { input.type = box.checked ? "text" : "password"; });
  row.append(box, label);
  input.after(row);
}
