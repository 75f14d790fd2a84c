/** Suites about routes on real hosts: shops with a proxy in front, which are gone afterwards. */
import type { Test } from 'uvu'
import type { Lab } from '../lab/lab.ts'
import { EdgeShop, type EdgeShopOptions } from './edge-shop.ts'
import { labSuite } from './lab-suite.ts'
import { startTraffic, type Traffic } from './traffic.ts'

export interface EdgeSuite {
  readonly test: Test
  lab(): Lab
  /** Another shop, of its own name. */
  open(options?: EdgeShopOptions): EdgeShop
  /** Its users, once the first of them has been answered. */
  users(shop: EdgeShop, version?: string): Promise<Traffic>
  run(): void
}

export async function edgeSuite(name: string, hosts = 1): Promise<EdgeSuite> {
  const { test, lab, run } = await labSuite(name, hosts)
  const shops: EdgeShop[] = []
  test.after(() => {
    for (const shop of shops) shop.remove()
  })
  return {
    test,
    lab,
    open(options = {}) {
      const shop = new EdgeShop(lab(), options)
      shops.push(shop)
      return shop
    },
    async users(shop, version = 'v1') {
      const traffic = startTraffic(shop.route())
      await traffic.until(version)
      return traffic
    },
    run,
  }
}
