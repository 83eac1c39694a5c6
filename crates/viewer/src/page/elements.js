"use strict";
// Short ways to make elements. Texts are only ever set as texts, never as markup.
viewer.elements = (() => {
  const add = (parent, children) => {
    for (const child of children.flat()) if (child !== null && child !== undefined) parent.append(child);
    return parent;
  };
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
    }
    return add(element, children);
  };
  const svg = (tag, attributes = {}, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return add(element, children);
  };
  // The policy of the page forbids style attributes; properties set one by one are allowed.
  const styled = (element, properties) => {
    for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, value);
    return element;
  };
  return { make, svg, styled };
})();
