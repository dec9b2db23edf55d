// A form's fields as a draft knows them: [[name, value], …], as they stand or as the page came with them.
//
// After `write` has set them it fires `podium:restored` on the form, with all of them in `event.detail.fields`.
window.podiumFields = (() => {
  "use strict";
  const NO_DRAFT = new Set(["submit", "button", "reset", "image", "file", "fieldset", "output", "password"]);
  const fieldsOf = (form) => [...form.elements].filter(
    (field) => field.name && field.name !== "csrfmiddlewaretoken" && !field.disabled && !NO_DRAFT.has(field.type));
  const isTick = (field) => field.type === "checkbox" || field.type === "radio";
  const read = (form, asItCame = false) => fieldsOf(form).flatMap((field) => {
    if (isTick(field)) return (asItCame ? field.defaultChecked : field.checked) ? [[field.name, field.value]] : [];
    if (!field.options) return [[field.name, asItCame ? field.defaultValue : field.value]];
    const options = [...field.options];
    const chosen = options.filter((option) => (asItCame ? option.defaultSelected : option.selected));
    if (asItCame && !chosen.length && !field.multiple) chosen.push(...options.slice(0, 1));
    return chosen.map((option) => [field.name, option.value]);
  });
  const write = (form, fields) => {
    const values = {};
    for (const [name, value] of fields) (values[name] ??= []).push(value);
    for (const field of fieldsOf(form)) {
      const given = values[field.name] ?? [];
      if (isTick(field)) field.checked = given.includes(field.value);
      else if (field.options) for (const option of field.options) option.selected = given.includes(option.value);
      else field.value = given.shift() ?? "";
    }
    form.dispatchEvent(new CustomEvent("podium:restored", { bubbles: true, detail: { fields } }));
  };
  const words = (fields) => JSON.stringify(fields.map(([name, value]) => [name, value.replaceAll("\r\n", "\n")]));

  return { read, write, words };
})();
