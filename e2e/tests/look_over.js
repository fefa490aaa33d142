const problems = [];
const tell = (what, node) => problems.push(what + ': ' + (node?.outerHTML ?? '').slice(0, 160));
const channels = text => text.match(/[\d.]+/g).map(Number);
const over = (top, below) => {
  const alpha = top[3] ?? 1;
  return [0, 1, 2].map(i => top[i] * alpha + below[i] * (1 - alpha));
};
const ground = node => {
  if (!node) return channels(getComputedStyle(document.documentElement).colorScheme
    && matchMedia('(prefers-color-scheme: dark)').matches ? 'rgb(18, 18, 18)' : 'rgb(255, 255, 255)');
  const color = channels(getComputedStyle(node).backgroundColor);
  return (color[3] ?? 1) === 1 ? color : over(color, ground(node.parentElement));
};
const luminance = color => {
  const [r, g, b] = color.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
};
const isSeen = node => node.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })
  && getComputedStyle(node).clipPath === 'none' && !node.closest('.skip, .unseen, svg');
document.querySelectorAll('details').forEach(one => one.open = true);
let texts = 0;
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const node = walk.currentNode.parentElement;
  if (!walk.currentNode.data.trim() || !isSeen(node)) continue;
  texts += 1;
  const below = ground(node);
  const ratio = contrast(over(channels(getComputedStyle(node).color), below), below);
  if (ratio < 4.5) tell('contrast ' + ratio.toFixed(2), node);
}
if (texts < 3) problems.push('no text was looked at');
for (const field of document.querySelectorAll('input, select, textarea')) {
  const isHidden = field.type === 'hidden' || field.getAttribute('aria-hidden') === 'true';
  if (!isHidden && !field.labels.length) tell('no label', field);
  if (!isHidden) {
    const style = getComputedStyle(field);
    const border = contrast(channels(style.borderTopColor), ground(field.parentElement));
    if (border < 3) tell('contrast of the border ' + border.toFixed(2), field);
  }
}
const headings = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')];
if (headings.filter(one => one.tagName === 'H1').length !== 1) problems.push('not one h1');
let level = 0;
for (const heading of headings) {
  const own = Number(heading.tagName[1]);
  if (own > level + 1) tell('a level of headings is left out', heading);
  if (!heading.textContent.trim()) tell('an empty heading', heading);
  level = own;
}
for (const cell of document.querySelectorAll('th')) if (!cell.scope) tell('no scope', cell);
for (const table of document.querySelectorAll('table')) if (!table.querySelector('thead th')) tell('no header', table);
for (const link of document.querySelectorAll('a')) if (!link.textContent.trim()) tell('an empty link', link);
for (const picture of document.querySelectorAll('svg')) {
  const hasName = picture.getAttribute('aria-label') || picture.querySelector(':scope > title');
  const isHidden = picture.getAttribute('aria-hidden') === 'true';
  if (!isHidden && !(picture.getAttribute('role') === 'img' && hasName)) tell('a picture without a name', picture);
}
for (const node of document.querySelectorAll('[id]'))
  if (document.querySelectorAll('#' + CSS.escape(node.id)).length > 1) tell('an id twice', node);
for (const node of document.querySelectorAll('[aria-labelledby]'))
  for (const id of node.getAttribute('aria-labelledby').split(' '))
    if (!document.getElementById(id)) tell('named by nothing', node);
if (document.querySelector('script, img, iframe, object, [style], [onerror]')) problems.push('what no page of ours has');
if (!document.documentElement.lang || !document.title) problems.push('no language or title');
const wide = document.documentElement.scrollWidth;
if (wide > document.documentElement.clientWidth) problems.push('wider than the screen: ' + wide);
return problems;
