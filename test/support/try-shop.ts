// Sets up a shop for the lab in a folder and prints it: for trying things by hand. Not a test.
import { openLab } from '../lab/lab.ts'
import { Shop } from './shop.ts'

const lab = await openLab({ hosts: 1 })
const shop = new Shop(lab, { name: process.argv[2] ?? 'tryshop' })
process.stdout.write(`${shop.directory}\n`)
