import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { describeColors } from '../../app/media/colors.ts';

function plain(background: string, width = 64, height = 48) {
  return sharp({ create: { width, height, channels: 3, background } });
}

const NAMES = {
  '#ff0000': 'red',
  '#8b4513': 'brown',
  '#ffa500': 'orange',
  '#ffff00': 'yellow',
  '#0b5d1e': 'dark green',
  '#00ced1': 'turquoise',
  '#1e50c8': 'blue',
  '#800080': 'purple',
  '#ff69b4': 'pink',
  '#ffffff': 'white',
  '#000000': 'black',
  '#808080': 'grey',
};
for (const [color, name] of Object.entries(NAMES)) {
  test(`calls ${color} ${name}`, async () => {
    const jpeg = await plain(color).jpeg().toBuffer();
    assert.match(await describeColors(jpeg), new RegExp(`mostly (?:dark )?${name}$`));
  });
}

test('tells the size, and more than one colour, the larger first', async () => {
  const blue = await plain('#1e50c8', 100, 90).png().toBuffer();
  const picture = await plain('#ffffff', 300, 100)
    .composite([{ input: blue, left: 0, top: 5 }])
    .png()
    .toBuffer();
  assert.equal(await describeColors(picture), 'a picture of 300 × 100 pixels, mostly white and blue');
});

test('sees what is transparent as white', async () => {
  const clear = sharp({ create: { width: 10, height: 10, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } });
  assert.match(await describeColors(await clear.png().toBuffer()), /white$/);
});

test('rejects what is no picture', async () => {
  await assert.rejects(describeColors(Buffer.from('not a picture')));
});
