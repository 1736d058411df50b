/** The models that a person may choose from, as a list and as the studio names them. */
import type { Schemas } from '@/api/client'

export type Choices = { group: string; items: { value: string; label: string }[] }[]

const deployed = (endpoints: readonly Schemas['EndpointOut'][]) =>
  endpoints.map((one) => ({ value: `endpoint ${one.slug}`, label: one.current ? `${one.name} (${one.current.model}@${one.current.model_version})` : one.name }))

const filled = (choices: Choices): Choices => choices.filter((group) => group.items.length > 0)

/** For one time: what answers now. */
export function versionsOf(endpoints: readonly Schemas['EndpointOut'][], models: readonly Schemas['ModelOut'][]): Choices {
  const registered = models.map((one) => ({ value: `model ${one.slug}@${one.latest_version}`, label: `${one.name} (${one.slug}@${one.latest_version})` }))
  return filled([
    { group: 'Deployed', items: deployed(endpoints) },
    { group: 'Registered', items: registered },
  ])
}

/** For a while: names that follow what is trained and deployed, and this version for who wants it to stay. */
export function followedOf(endpoints: readonly Schemas['EndpointOut'][], models: readonly Schemas['ModelOut'][]): Choices {
  const registered = models.flatMap((one) => [
    { value: `model ${one.slug}`, label: `${one.name}, always its newest version` },
    ...Object.keys(one.aliases).map((alias) => ({ value: `model ${one.slug}@${alias}`, label: `${one.name}, its ${alias}` })),
    { value: `model ${one.slug}@${one.latest_version}`, label: `${one.name}, version ${one.latest_version} and no other` },
  ])
  return filled([
    { group: 'Deployed', items: deployed(endpoints) },
    { group: 'Registered', items: registered },
  ])
}

export function bodyOf(chosen: string): { endpoint: string } | { model: string } {
  const [kind = '', name = ''] = chosen.split(' ')
  return kind === 'endpoint' ? { endpoint: name } : { model: name }
}
