import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

assert.match(readFileSync('dist/app.js', 'utf8'), /export const a/)
console.log('1 passed')
